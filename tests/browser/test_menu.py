"""The voice menu of the emulator: put together by keyboard, drawn as one types, exact to what the API takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from access import serious
from playwright.sync_api import Page, expect
from watcher import Visit, goes_wrong, until

pytestmark = pytest.mark.peer

MENU: list[dict[str, Any]] = [
    {"digit": "1"},
    {
        "digit": "*", "record": {"text": "Нажмите <b>1</b>", "gender": 1}, "tag": "<i>", "needBlock": 1,
        "webhookUrl": "https://example.com/?a=1&b=2", "webhookParameters": '{ "who":"{phone}" }', "id": "17",
        "ivrs": [{"digit": "1", "ivrs": [{"digit": "#", "tag": "deep"}]}],
    },
]  # fmt: skip


def opened(page: Page) -> None:
    page.locator("details:has(> voice-menu)").evaluate("part => { part.open = true; }")


def value(page: Page) -> Any:
    return page.locator("voice-menu").evaluate("menu => menu.value")


def fill(page: Page, menu: list[dict[str, Any]]) -> None:
    page.locator("voice-menu").evaluate(
        "(menu, value) => { menu.value = value; menu.dispatchEvent(new CustomEvent('changed', {bubbles: true})); }",
        menu,
    )


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"))


def drawn(page: Page) -> list[str]:
    return [str(name) for name in page.locator(".graph-block").evaluate_all("all => all.map(one => one.dataset.block)")]


def test_menu_is_put_together_by_keyboard_on_a_telephone(visit: Visit) -> None:
    page = visit(width=360, language="en")
    opened(page)
    page.get_by_role("button", name="Add the first block").press("Enter")
    page.keyboard.press("End")  # the digit has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("left")
    page.get_by_role("button", name="Add a menu below block #").press("Enter")
    page.get_by_role("button", name="Copy block #", exact=True).press("Enter")
    assert value(page) == [
        {"digit": "#", "tag": "left", "ivrs": [{"digit": "1"}]},
        {"digit": "1", "tag": "left", "ivrs": [{"digit": "1"}]},
    ]  # fmt: skip
    expect(page.locator(".graph-block")).to_have_count(5)
    page.get_by_role("button", name="Move block 1 up").press("Enter")
    assert [block["digit"] for block in value(page)] == ["1", "#"]
    assert focused(page) == "Move block 1 down"  # it cannot go further up
    page.get_by_role("button", name="Move block 1 to another menu").press("Enter")
    page.get_by_label("To which menu").select_option(label="below block # → 1: Block # → 1")
    page.get_by_role("button", name="Move", exact=True).press("Enter")
    moved = {"digit": "1", "tag": "left", "ivrs": [{"digit": "1"}]}
    assert value(page) == [{"digit": "#", "tag": "left", "ivrs": [{"digit": "1", "ivrs": [moved]}]}]
    page.get_by_role("button", name="Remove block # → 1", exact=True).press("Enter")
    assert value(page) == [{"digit": "#", "tag": "left"}]
    assert focused(page) == "Undo"
    page.keyboard.press("Enter")
    assert value(page) == [{"digit": "#", "tag": "left", "ivrs": [{"digit": "1", "ivrs": [moved]}]}]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not serious(page)


def test_only_free_digits_are_offered(visit: Visit) -> None:
    page = visit(language="en")
    opened(page)
    fill(page, [{"digit": key} for key in "123456789*"])
    page.get_by_role("button", name="Add a block", exact=True).click()
    block = page.locator(".menu-block").last
    assert block.locator("select").first.locator("option").all_inner_texts() == ["0", "#"]
    page.get_by_role("button", name="Add a block", exact=True).click()
    expect(page.get_by_role("button", name="Add a block", exact=True)).to_be_disabled()
    expect(page.get_by_text("All 12 digits of this menu are taken").last).to_be_visible()
    assert sorted(one["digit"] for one in value(page)) == sorted("0123456789*#")


def test_value_comes_back_as_it_was_even_after_a_reload(visit: Visit) -> None:
    page = visit()
    opened(page)
    fill(page, MENU)
    assert value(page) == MENU
    page.get_by_role("button", name="Развернуть все").click()
    assert value(page) == MENU  # fields that are shown change nothing
    page.locator(".menu-block").nth(1).get_by_role("button", name="Изменить ролик").first.click()
    expect(page.locator("voice-menu clip-picker textarea")).to_have_value("Нажмите <b>1</b>")
    expect(page.locator(".graph-block")).to_have_count(5)
    assert drawn(page) == ["menu", "menu.1", "menu.*", "menu.*.1", "menu.*.1.#"]
    until(page, "Object.values(localStorage).some((kept) => kept.includes('deep'))")
    page.reload()
    assert value(page) == MENU


def test_what_the_api_refuses_stands_at_its_control(visit: Visit) -> None:
    page = visit(language="en")
    goes_wrong(page, "422")
    opened(page)
    fill(page, [{"digit": "1", "ivrs": [{"digit": "2"}]}, {"digit": "3"}, {"digit": "4"}])
    reply = page.evaluate(
        """async () => (await zvonar.ask("/apiCalls/create",
        {phone: "79990000003", dutyPhone: 1, record: {id: 1}, ivrs: [
        {digit: "1", ivrs: [{digit: "2", webhookUrl: "ftp://x", webhookParameters: "[1]"}]}, {digit: "1"}]})).data"""
    )
    errors = reply["data"]["errors"]
    assert "ivrs.0.ivrs.0.webhookUrl" in errors
    page.locator("voice-menu").evaluate("(menu, errors) => { menu.errors = errors; }", errors)
    field = page.locator(".menu-block .menu-block").get_by_label("Address of the webhook")
    expect(field).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(errors["ivrs.0.ivrs.0.webhookUrl"][0])
    page.locator("voice-menu").evaluate("menu => { menu.errors = {'ivrs[1].digit': ['is taken']}; }")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator(".menu-block select[aria-invalid=true]")).to_be_focused()
    expect(page.get_by_text("is taken", exact=True)).to_be_visible()


def test_drawing_leads_to_its_block_and_shows_where_a_call_is(visit: Visit) -> None:
    page = visit(language="en", theme="dark")
    opened(page)
    fill(page, MENU)
    page.locator(".graph-block[data-block='menu.*.1.#']").click()
    assert "deep" in focused(page)
    menu = page.locator("voice-menu")
    for name in ("menu", "menu.*", "menu.*.1"):
        menu.evaluate("(menu, name) => { menu.lit = name; }", name)
    expect(page.locator(".graph-block.lit")).to_have_attribute("data-block", "menu.*.1")
    assert page.locator(".graph-block.passed").evaluate_all("all => all.map(one => one.dataset.block)") == [
        "menu",
        "menu.*",
    ]
    expect(page.locator("menu-graph li[aria-current=step]")).to_have_attribute("data-block", "menu.*.1")
    menu.evaluate("menu => { menu.lit = 'menu'; }")  # another call
    expect(page.locator(".graph-block.passed")).to_have_count(0)


def test_drawing_of_a_large_menu_has_no_block_upon_another(visit: Visit) -> None:
    page = visit()
    opened(page)
    below = [{"digit": key} for key in "12345"]
    fill(
        page,
        [
            {"digit": key, "ivrs": [{"digit": "1", "ivrs": below if key in "147" else below[:1]}, *below[1:]]}
            for key in "1234567890"
        ],
    )
    assert page.locator(".menu-block").count() == 82
    expect(page.locator(".graph-block")).to_have_count(83)
    boxes = page.locator(".graph-block > rect").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({x, y, width, height}) => [x, y, width, height])"
    )
    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, *_ in boxes[:index]:
            assert abs(x - other_x) >= width or abs(y - other_y) >= height, json.dumps(boxes)


def test_example_in_the_reader_s_language_can_be_taken_back(visit: Visit) -> None:
    page = visit()
    opened(page)
    page.get_by_text("Примеры", exact=True).click()
    page.get_by_role("button", name="Новость с отказом от звонков").click()
    assert [block.get("needBlock") for block in value(page)] == [None, 1]
    expect(page.locator("clip-picker[data-name=record] textarea").first).to_have_value(
        "Здравствуйте! На этой неделе "
        "для вас действует скидка. Чтобы узнать подробности, нажмите 1. Чтобы мы больше не звонили, нажмите 0."
    )
    before = value(page)
    page.get_by_text("Примеры", exact=True).click()
    page.get_by_role("button", name="Подтвердить запись").click()
    assert value(page) != before
    page.get_by_role("button", name="Вернуть", exact=True).click()
    assert value(page) == before


def test_a_manager_takes_over(visit: Visit) -> None:
    page = visit(language="en")
    opened(page)
    page.get_by_role("button", name="Add the first block").click()
    page.get_by_label("The manager's telephone").fill("8 800, 79990000015")
    expect(page.locator(".menu-does")).to_have_text("Connects to the manager")
    expect(page.get_by_role("button", name="Add a menu below block 1")).to_be_disabled()
    expect(page.locator(".graph-block").last).to_contain_text("manager")
    assert value(page) == [{"digit": "1", "managerPhone": "8 800, 79990000015"}]
    page.locator("voice-menu").evaluate("(menu) => menu.errors = {'ivrs.0.managerPhone': ['is no number']}")
    expect(page.get_by_label("The manager's telephone")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Record the call")).to_be_visible()
    expect(page.locator("[data-name=needRecording], [data-name=useOutgoingPhoneForManager]")).to_have_count(2)
    assert page.locator("[data-name=needRecording]:disabled").count() == 0
