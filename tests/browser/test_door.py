"""Signing in, settings, and an open page whose session ended or whose service went away: nothing typed is lost."""

from __future__ import annotations

import pytest
from access import serious
from playwright.sync_api import Page, expect
from service import Served
from watcher import Visit, goes_wrong

pytestmark = pytest.mark.peer

PASSWORD = "correct horse battery"


def with_password(visit: Visit, served: Served, name: str) -> Page:
    """Somebody who came by a link and set a password."""
    page = visit(name=name, language="en", signed_in=False, to=None)
    page.goto(served.link(name))
    page.get_by_label("Set a password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.locator("h1")).to_have_text("Request emulator")
    return page


def sign_in_again(page: Page) -> None:
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Password")).to_be_focused()
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)


def test_from_the_link_to_a_password(visit: Visit, served: Served) -> None:
    page = visit(name="linda", signed_in=False, to=None)
    address = served.link("linda")
    page.goto(address)
    field = page.get_by_label("Задать пароль")
    field.fill(PASSWORD)
    page.get_by_role("button", name="Показать").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Задать пароль и войти").click()
    page.get_by_role("button", name="Выйти").click()
    expect(page.locator("h1")).to_have_text("Войти")
    page.goto(address)
    expect(page.locator("h1")).to_have_text("Ссылка больше не действует")
    page.goto("/settings")
    page.get_by_label("Имя аккаунта").fill("linda")
    page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/settings")


def test_a_form_whose_session_ended_goes_on(visit: Visit, served: Served) -> None:
    page = with_password(visit, served, "dora")
    page.goto("/settings")
    page.get_by_label("Time zone").fill("Asia/Omsk")
    page.context.clear_cookies()
    page.locator("#timezone").get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="You were signed out: sign in, and go on")
    expect(dialog).to_be_visible()
    assert serious(page) == []
    goes_wrong(page, "401")
    dialog.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    sign_in_again(page)
    expect(page.get_by_text("The time zone is kept.")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Omsk")


def test_a_request_whose_session_ended_goes_on(visit: Visit, served: Served) -> None:
    page = with_password(visit, served, "enid")
    goes_wrong(page, "401")
    page.context.clear_cookies()
    page.evaluate("zvonar.ask('/apiCalls/userInfo', {}).then((reply) => { document.title = String(reply.status); }); 0")
    sign_in_again(page)
    expect(page).to_have_title("200")
    # A wrong key is no ended session.
    asked = page.evaluate("zvonar.ask('/apiCalls/userInfo', { apiKey: 'x'.repeat(60) })")
    assert asked["data"]["data"]["code"] == "key_wrong"
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_who_signed_in_elsewhere_goes_on_without_a_password(visit: Visit, served: Served) -> None:
    page = with_password(visit, served, "fay")
    page.goto("/settings")
    page.context.clear_cookies()
    page.locator("#outgoing").get_by_role("button", name="Save").click()
    elsewhere = page.get_by_role("button", name="I have signed in in another tab")
    elsewhere.click()
    expect(page.get_by_role("alert")).to_have_text("Nobody is signed in")
    other = page.context.new_page()
    other.goto(served.link("fay"))
    other.get_by_role("button", name="Sign in without a password").click()
    expect(other.locator("h1")).to_have_text("Request emulator")
    elsewhere.click()
    expect(page.get_by_text("The number is kept.")).to_be_visible()


def test_a_service_that_is_away_is_told_of_until_it_is_back(visit: Visit, served_alone: Served) -> None:
    page = visit(who=served_alone.account(), to="/settings", language="en")
    goes_wrong(page, "ERR_CONNECTION_REFUSED", "503")
    page.get_by_label("Time zone").fill("Asia/Omsk")
    served_alone.end()
    page.locator("#timezone").get_by_role("button", name="Save").click()
    line = page.get_by_text("The service is not reachable, trying again ...")
    expect(line).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Omsk")
    served_alone.start()
    expect(line).to_have_count(0, timeout=20_000)
    page.locator("#timezone").get_by_role("button", name="Save").click()
    expect(page.get_by_text("The time zone is kept.")).to_be_visible()


def test_the_secret_is_shown_copied_and_turned(visit: Visit, served: Served) -> None:
    page = visit(name="gwen", to="/settings", language="en")
    secret = page.locator("#secret output")
    expect(secret).to_have_text("whsec_" + "•" * 16)
    page.locator("#secret").get_by_role("button", name="Show").click()
    expect(secret).not_to_contain_text("•")
    before = secret.text_content()
    page.locator("#secret").get_by_role("button", name="Hide").click()
    expect(secret).to_contain_text("•")
    page.get_by_text("Turn the secret ...").click()
    page.get_by_role("button", name="Yes, make a new secret").click()
    expect(page.get_by_text("The secret was turned.")).to_be_visible()
    page.locator("#secret").get_by_role("button", name="Show").click()
    expect(secret).not_to_contain_text("•")
    assert secret.text_content() != before
