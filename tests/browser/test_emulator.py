"""The request emulator, as somebody uses it: a call put together control by control, and nothing typed is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from access import serious
from playwright.sync_api import Page, Route, expect
from service import Served
from watcher import Visit, goes_wrong

pytestmark = pytest.mark.peer


def shown(page: Page) -> dict[str, Any]:
    """The request, as the page shows it while it grows."""
    return dict(json.loads(page.locator("[data-shown]").inner_text()))


def replied(page: Page) -> dict[str, Any]:
    return dict(json.loads(page.locator("[data-reply]").inner_text()))


def say_something(page: Page, text: str = "Здравствуйте!") -> None:
    page.locator("clip-picker[data-name=record] textarea").fill(text)


def draft_has(page: Page, text: str) -> None:
    """Wait until what was typed is kept."""
    for _ in range(200):
        if text in page.evaluate("JSON.stringify(localStorage)"):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{text} is not kept")


def put_together(page: Page) -> None:
    """A call that can be made."""
    page.get_by_text("Песочница: номера, которые отвечают").click()
    page.locator("[data-call='79990000003']").click()
    say_something(page)


def test_call_is_made_control_by_control(visit: Visit, served: Served) -> None:
    person = served.account("builder")
    page = visit(who=person)
    page.get_by_label("Номер вызываемого абонента").press_sequentially("8 999 000-00-03")
    expect(page.get_by_label("Номер вызываемого абонента")).to_have_value("+7 999 000-00-03")
    page.get_by_label("Номер отправителя").select_option("74951234567")
    say_something(page, "Пр+ивет! <-> <b>'\"$</b>")
    page.get_by_text("Добавить голосовое меню").click()
    page.locator("voice-menu .menu-add").last.click()
    page.locator("#tag").fill("welcome")
    page.get_by_role("button", name="Тег ещё для одного блока").click()
    page.keyboard.type("yes")
    page.keyboard.press("Tab")
    page.get_by_text("Автоматическое определение тишины").click()
    page.get_by_text("Включить детекцию перебивания робота").click()
    page.locator("[aria-controls=why-detectEndOfSpeech]").press("Enter")
    expect(page.locator("#why-detectEndOfSpeech")).to_be_visible()
    page.get_by_label("Сколько звонить, секунд").fill("25")
    page.get_by_label("Своя метка").fill("осень")
    page.get_by_label("В заданное время").check()
    page.get_by_label("Не раньше, по часам вашего браузера").fill("2027-01-05T10:00")
    page.get_by_label("Только в определённые часы и дни").check()
    page.locator("#startTime").fill("09:00")
    page.locator("#endTime").fill("18:30")
    for day in ("Пн", "Пт"):
        page.get_by_label(day, exact=True).check()
    page.get_by_label("Перезванивать, если не дозвонились").check()
    page.locator("#smartDelay").fill("15")
    page.get_by_text("Вебхук по окончании звонка").click()
    page.locator("#webhookUrl").fill("https://crm.example/called")
    for rows, name, value in (("webhookParameters", "order", "{phone}"), ("webhookHeaders", "X-Key", "it's")):
        page.locator(f"[data-name={rows}] > button").click()
        page.locator(f"[data-name={rows}] input").nth(0).fill(name)
        page.locator(f"[data-name={rows}] input").nth(1).fill(value)
    page.locator("[data-generate]").click()
    expect(page.locator("[data-status]")).to_have_text("200")
    element = replied(page)["data"][0]
    expect(page.locator(f"call-watch[call='{element['id']}']")).to_have_count(1)
    kept = person.post("get", apiCallIdList=[element["id"]])[0]
    wanted = {
        "phone": "79990000003", "timeout": 25, "label": "осень", "plannedAt": 1799132400, "startTime": "09:00",
        "endTime": "18:30", "weekdays": [1, 5], "smartDelay": 15, "webhookUrl": "https://crm.example/called",
        "webhookHeaders": {"X-Key": "it's"}, "tag": "welcome", "detectEndOfSpeech": 1, "voiceDetectionEnabled": 1,
    }  # fmt: skip
    assert {name: kept[name] for name in wanted} == wanted
    assert json.loads(kept["webhookParameters"]) == {"order": "{phone}"}
    assert [(block["digit"], block["tag"]) for block in shown(page)["ivrs"]] == [("1", "yes")]
    assert person.key not in page.content()
    assert serious(page) == []


def test_errors_stand_beside_their_fields_and_nothing_is_lost(visit: Visit, served: Served) -> None:
    page = visit(who=served.account("careless"))
    goes_wrong(page, "422", "401")
    put_together(page)
    page.get_by_label("Сколько звонить, секунд").fill("999")
    page.locator("[data-generate]").click()
    expect(page.locator("#error-timeout")).not_to_be_empty()
    expect(page.get_by_label("Сколько звонить, секунд")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Сколько звонить, секунд")).to_have_value("999")
    page.get_by_label("Сколько звонить, секунд").fill("20")
    before = shown(page)
    assert before["phone"] == "79990000003"
    assert before["record"]["text"] == "Здравствуйте!"
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.locator("[data-generate]").click()
    expect(page.locator("dialog[open]")).to_be_visible()  # it may be done right there, or later
    page.keyboard.press("Escape")
    expect(page.locator("[data-said]")).to_contain_text("войдите и продолжите")
    page.context.add_cookies(cookies)  # signed in again
    page.goto("/")
    assert shown(page) == before
    page.locator("[data-generate]").click()
    expect(page.locator("[data-status]")).to_have_text("200")


def test_double_click_and_a_lost_reply_are_one_call(visit: Visit, served: Served) -> None:
    page = visit(who=served.account("hasty"))
    goes_wrong(page, "ERR_FAILED")
    put_together(page)
    page.locator("[data-generate]").dblclick()
    expect(page.locator("[data-status]")).to_have_text("200")
    first = replied(page)["data"][0]["id"]
    expect(page.locator("[data-generate]")).to_be_enabled()

    def lose(route: Route) -> None:
        route.fetch()  # the service has done it; the reply is lost on its way
        route.abort()

    page.route("**/apiCalls/create", lose, times=1)
    page.locator("[data-generate]").click()
    expect(page.locator("[data-said]")).to_contain_text("звонок будет один")
    expect(page.locator("[data-generate]")).to_be_enabled()
    page.locator("[data-generate]").click()
    expect(page.locator("[data-status]")).to_have_text("200")
    assert replied(page)["data"][0]["id"] == first + 1  # the one that was made before its reply was lost
    calls = page.evaluate("fetch('/emulator/calls').then((reply) => reply.json())")["calls"]
    assert len({call["id"] for call in calls}) == 2


def test_two_tabs_ask_before_they_overwrite(visit: Visit, served: Served) -> None:
    page = visit(who=served.account("twofold"))
    page.get_by_label("Своя метка").fill("первая")
    draft_has(page, "первая")
    other = page.context.new_page()
    other.goto("/")
    expect(other.get_by_label("Своя метка")).to_have_value("первая")
    other.get_by_label("Своя метка").fill("вторая")
    draft_has(other, "вторая")
    page.get_by_label("Своя метка").fill("моя")
    expect(page.locator("[data-conflict]")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Своя метка")).to_have_value("моя")
    page.locator("[data-take-theirs]").click()
    expect(page.get_by_label("Своя метка")).to_have_value("вторая")


def test_edited_by_hand_and_out_of_the_history(visit: Visit, served: Served) -> None:
    page = visit(who=served.account("handy"), language="en", width=360, theme="dark")
    page.get_by_role("button", name="Edit by hand").click()
    body = {"phones": ["79990000003", "79990000010"], "outgoingPhone": "79932432781", "record": {"text": "Hello"},
            "timeOut": 5, "mine": {"kept": [1]}}  # fmt: skip
    page.locator("[data-hand]").fill(json.dumps(body))
    expect(page.locator("[data-unknown]")).to_contain_text("timeOut: no such field; timeout is meant?")
    page.get_by_role("button", name="Back to the form").click()
    grown = shown(page)
    assert {name: grown[name] for name in body if name != "record"} == {k: v for k, v in body.items() if k != "record"}
    page.get_by_role("button", name="Check without calling").click()
    expect(page.locator("[data-status]")).to_have_text("200")
    assert [element["dryRun"] for element in replied(page)["data"]] == [1, 1]
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear the form").click()
    assert "phones" not in shown(page)
    page.get_by_role("button", name="Change", exact=True).first.click()
    assert shown(page)["phones"] == body["phones"]
    assert shown(page)["mine"] == {"kept": [1]}
    page.locator("[data-kind-of-request=get]").click()
    page.locator("#ids").fill("[12, 13]\n14")
    page.locator("#ids").press("Enter")
    assert shown(page)["apiCallIdList"] == [12, 13, 14]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    expect(page.locator("[data-generate]")).to_be_enabled()
    assert serious(page) == []


def test_new_key_after_a_question(visit: Visit, served: Served) -> None:
    person = served.account("keeper")
    page = visit(who=person)
    old = page.locator("code[data-key]").inner_text()
    page.get_by_role("button", name="Сгенерировать API-ключ").click()
    page.get_by_role("button", name="Отмена").click()
    assert person.post("userInfo")["id"] == person.id
    page.get_by_role("button", name="Сгенерировать API-ключ").click()
    page.locator("#renew").get_by_role("button", name="Сгенерировать").click()
    expect(page.locator("code[data-key]")).not_to_have_text(old)


def test_clip_of_a_text(visit: Visit, served: Served) -> None:
    page = visit(who=served.account("speaker"))
    page.get_by_role("button", name="Создание аудиоролика").click()
    page.get_by_label("Название аудиоролика").fill("Приветствие")
    page.get_by_label("Что произнести").fill("зам")
    page.locator("form[data-method=createRecord]").get_by_role("button", name="Ударение").click()
    page.keyboard.type("ок")
    page.locator("form[data-method=createRecord]").get_by_role("button", name="Прослушать предварительно").click()
    expect(page.locator("form[data-method=createRecord] audio")).to_be_visible()
    page.locator("[data-generate]").click()
    expect(page.locator("[data-status]")).to_have_text("200")
    assert shown(page)["text"] == "зам+ок"
    assert replied(page)["data"]["name"] == "Приветствие"


def test_request_of_a_call_is_opened(visit: Visit, served: Served) -> None:
    person = served.account("reopener")
    clip = person.post("createRecord", name="Привет", source="text", text="Привет")["id"]
    made = person.post("create", phone="79990000003", outgoingPhone="74951234567", record={"id": clip}, timeout=20)[0]
    page = visit(who=person, to=f"/?from={made['id']}")
    page.on("dialog", lambda dialog: dialog.dismiss())
    wanted = {"phone": "79990000003", "outgoingPhone": "74951234567", "record": {"id": clip}, "timeout": 20}
    assert {name: shown(page)[name] for name in wanted} == wanted
    page.get_by_label("Своя метка").fill("моя")
    draft_has(page, "моя")
    page.goto("/?webhookUrl=https%3A%2F%2Fcrm.example%2Fx%3Fa%3D1")
    assert {name: shown(page)[name] for name in (*wanted, "label", "webhookUrl")} == {
        **wanted, "label": "моя", "webhookUrl": "https://crm.example/x?a=1",
    }  # fmt: skip
    page.goto(f"/?from={made['id']}")  # asks, and is told no
    assert shown(page)["label"] == "моя"
