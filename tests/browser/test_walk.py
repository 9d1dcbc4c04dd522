"""The whole story, as somebody walks it: from the link to the money; with a keyboard only; through interruptions."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect
from service import Person, Served
from watcher import Visit, goes_wrong
from world import CLIPS, PRESSES_1

pytestmark = pytest.mark.peer

CALL_MS = 30_000  # a call of the sandbox, its webhook, and a busy machine
WORDS = {
    "ru": {
        "sign in": "Войти без пароля", "emulator": "Эмулятор API-запросов", "use": "Использовать в эмуляторе",
        "callee": "Номер вызываемого абонента", "sandbox": "Песочница: номера, которые отвечают",
        "sender": "Номер отправителя", "saved": "Сохраненные", "choose": "Выбрать",
        "webhook": "Вебхук по окончании звонка", "machines": "Фильтр автоответчиков",
        "silence": "Автоматическое определение тишины",
        "generate": "Сгенерировать запрос",
    },
    "en": {
        "sign in": "Sign in without a password", "emulator": "Request emulator", "use": "Use it in the emulator",
        "callee": "Callee's number", "sandbox": "Sandbox: numbers that answer",
        "sender": "Sender's number", "saved": "Saved", "choose": "Choose",
        "webhook": "Webhook at the end of the call", "machines": "Filter of answering machines",
        "silence": "Automatic detection of silence",
        "generate": "Generate the request",
    },
}  # fmt: skip
RINGS = "79990000004"
PASSWORD = "rye bread and tea"
PHONE = "9990000001"  # as it is typed behind +7


def newcomer(served: Served, name: str) -> Person:
    """Somebody with one clip."""
    person = served.account(name)
    person.record((CLIPS / "greeting.wav").read_bytes(), "Напоминание")
    return person


def choose_clip(page: Page, words: dict[str, str]) -> None:
    page.get_by_role("tab", name=words["saved"]).click()
    page.get_by_role("button", name=words["choose"]).first.click()


def request_of(page: Page) -> dict[str, object]:
    """The JSON that would be sent."""
    return dict(json.loads(page.locator("[data-shown]").inner_text()))


def created(page: Page) -> int:
    """The number of the call that the reply on the page tells of."""
    expect(page.locator("[data-status]")).to_have_text("200", timeout=CALL_MS)
    return int(json.loads(page.locator("[data-reply]").inner_text())["data"][0]["id"])


def tab_to(page: Page, there: Locator, most: int = 150) -> None:
    """Press Tab until it has the focus."""
    wanted = there.first.element_handle()
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("one => one === document.activeElement", wanted):
            return
    raise AssertionError(f"Tab does not get to {there}")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_from_the_link_to_the_money(visit: Visit, served: Served, language: str) -> None:
    words, who = WORDS[language], newcomer(served, f"walker-{language}")
    page = visit(who=who, language=language, signed_in=False, to=served.link(who.name))
    page.get_by_role("button", name=words["sign in"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["emulator"])

    page.goto("/receiver")
    address = page.locator("#receiver-url").input_value()
    page.get_by_role("link", name=words["use"]).click()
    page.get_by_text(words["sandbox"]).click()
    page.locator(f'[data-call="{PRESSES_1}"]').click()
    choose_clip(page, words)
    expect(page.get_by_role("checkbox", name=words["machines"])).to_be_disabled()  # until the engine has one
    page.get_by_role("checkbox", name=words["silence"]).check()
    wanted = request_of(page)
    assert wanted["phone"] == PRESSES_1
    assert wanted["webhookUrl"] == address
    assert wanted["detectEndOfSpeech"]

    page.get_by_role("button", name=words["generate"]).dblclick()  # one call nevertheless
    call = created(page)
    expect(page.locator("call-watch .watch-webhook")).to_contain_text("HTTP 200", timeout=CALL_MS)

    page.goto("/calls")
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").first.click()
    expect(page).to_have_url(f"{who.url}/calls/{call}")
    expect(page.locator("#webhooks")).to_contain_text("HTTP 200")
    page.goto("/receiver")
    expect(page.locator("#caught details").first).to_contain_text(f'"id": {call}')
    page.goto("/money")
    cost = who.until_over(call)["cost"]
    assert float(cost) > 0
    expect(page.locator("main")).to_contain_text(str(cost).replace(".", "," if language == "ru" else "."))


def test_with_a_keyboard_only_on_a_phone(visit: Visit, served: Served) -> None:
    words = WORDS["ru"]
    page = visit(who=newcomer(served, "keyboard"), width=360)
    tab_to(page, page.get_by_label(words["callee"]).and_(page.locator("input")))
    page.keyboard.type(PHONE)
    tab_to(page, page.get_by_role("tab", selected=True))
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name=words["saved"])).to_be_focused()
    choose = page.get_by_role("button", name=words["choose"])
    expect(choose.first).to_be_visible()
    tab_to(page, choose)
    page.keyboard.press("Enter")
    assert request_of(page)["phone"] == PRESSES_1
    tab_to(page, page.get_by_role("button", name=words["generate"]))
    page.keyboard.press("Enter")
    created(page)
    expect(page.locator("call-watch .watch-steps .ended")).to_be_visible(timeout=CALL_MS)


def test_nothing_typed_is_lost(visit: Visit, served: Served) -> None:
    """Neither by a reload, nor by leaving and coming back, nor by an error, nor by a session that ended."""
    words, who = WORDS["ru"], newcomer(served, "typist")
    page = visit(who=who, signed_in=False, to=served.link(who.name))
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Задать пароль и войти").click()
    goes_wrong(page, "status of 422", "status of 401")
    phone = page.get_by_label(words["callee"]).and_(page.locator("input"))
    phone.press_sequentially(PHONE)
    page.reload()
    assert request_of(page)["phone"] == PRESSES_1
    page.goto("/calls")
    page.go_back()
    expect(phone).to_have_value("+7 999 000-00-01")

    page.get_by_role("button", name=words["generate"]).click()  # without a clip
    expect(page.locator("[data-status]")).to_have_text("422")
    expect(page.locator('[data-error="record"], clip-picker .error:visible').first).not_to_be_empty()
    expect(phone).to_have_value("+7 999 000-00-01")

    choose_clip(page, words)
    page.reload()
    page.wait_for_load_state("networkidle")  # or a picture of a wave, still on its way, is what finds the session ended
    page.context.clear_cookies(name="zvonar")
    page.get_by_role("button", name=words["generate"]).click()
    page.get_by_role("dialog").locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Войти и продолжить").click()
    assert created(page)


def test_two_tabs_do_not_disturb_each_other(visit: Visit, served: Served) -> None:
    words = WORDS["ru"]
    first = visit(who=newcomer(served, "tabs"))
    second = first.context.new_page()
    second.goto("/")
    for page, phone in ((first, PHONE), (second, "9990000003")):
        page.get_by_label(words["callee"]).and_(page.locator("input")).press_sequentially(phone)
        choose_clip(page, words)
    first.reload()
    assert request_of(first)["phone"] == PRESSES_1
    assert request_of(second)["phone"] == "79990000003"
    for page in (first, second):
        page.get_by_role("button", name=words["generate"]).click()
    assert created(first) != created(second)


def test_service_restarts_during_a_call(visit: Visit, served_alone: Served) -> None:
    words, who = WORDS["ru"], newcomer(served_alone, "patient")
    page = visit(who=who)
    goes_wrong(page, "ERR_", "status of 503")
    page.get_by_label(words["callee"]).and_(page.locator("input")).press_sequentially(RINGS[1:])
    choose_clip(page, words)
    page.get_by_role("button", name=words["generate"]).click()
    watch = page.locator("call-watch")
    expect(watch.locator(".watch-step").first).to_be_visible(timeout=CALL_MS)
    lost = watch.locator(".callout.warn")
    expect(lost).to_be_hidden()
    served_alone.kill()
    expect(lost).to_be_visible(timeout=CALL_MS)
    served_alone.start()
    expect(lost).to_be_hidden(timeout=CALL_MS)
    expect(watch.locator(".watch-cost")).to_be_visible(timeout=CALL_MS)  # it is told to its end
    page.goto("/calls/1")
    expect(page.locator("#result")).to_contain_text("прерва")
