"""The staff at work: a queue by keyboard, two moderators at once, trunks that are looked at again, the reference."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from access import serious
from playwright.sync_api import Page, expect
from service import Served
from watcher import Visit, goes_wrong, until

pytestmark = pytest.mark.peer

CLIP = files("configs") / "scripts" / "appointment" / "greeting.wav"


@pytest.fixture
def waiting(served_alone: Served) -> Served:
    """An account that waits for a moderator, and three clips of it."""
    customer = served_alone.account("customer", moderated=False)
    for number in range(3):
        customer.record(CLIP.read_bytes(), f"clip <b>{number}")
    return served_alone


def _open(page: Page, name: str) -> None:
    expect(page.locator("#queue > li.now h2")).to_have_text(name)


def _told(page: Page, number: int) -> str:
    return str(page.request.post(
        "/apiCalls/getRecords", data={}, headers={"sec-fetch-site": "same-origin"}
    ).json()["data"][number]["status"])  # fmt: skip


def test_moderation_by_keyboard(waiting: Served, visit: Visit) -> None:
    moderator = waiting.account("judge", role="moderator")
    page = visit(who=moderator, to="/moderation")
    customer = visit(who=waiting.account("customer"), to=None)
    keys = page.keyboard
    _open(page, "customer")
    keys.press("j")
    _open(page, "clip <b>0")
    keys.press("ArrowDown")
    _open(page, "clip <b>1")
    keys.press("k")
    _open(page, "clip <b>0")

    keys.press("Space")
    expect(page.locator("li.now clip-player")).to_have_attribute("playing", "")

    goes_wrong(page, "422")
    keys.press("r")
    expect(page.locator("li.now textarea")).to_be_focused()
    keys.press("Enter")
    wrong = page.locator("li.now form .error")
    expect(wrong).to_have_text("обязательное поле: владелец должен знать причину")
    keys.type("шум")
    keys.press("Enter")
    _open(page, "clip <b>1")  # the next one comes up by itself
    assert _told(customer, 0) == "rejected"

    keys.press("a")
    _open(page, "clip <b>2")
    assert _told(customer, 1) == "ready"
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ф', code: 'KeyA', bubbles: true}))"
    )
    _open(page, "customer")
    assert serious(page) == []
    keys.press("a")
    expect(page.locator("#done")).to_be_visible()

    assert _told(customer, 2) == "ready"


def test_two_moderators_at_once(waiting: Served, visit: Visit) -> None:
    first = visit(who=waiting.account("judge", role="moderator"), to="/moderation")
    second = visit(who=waiting.account("boss", role="operator"), to="/moderation", language="en")
    for page in (first, second):
        page.keyboard.press("j")
        _open(page, "clip <b>0")
    first.keyboard.press("a")
    _open(first, "clip <b>1")
    second.get_by_label("Reason of a rejection").locator("visible=true").fill("noise")
    second.get_by_role("button", name="Reject").locator("visible=true").click()
    expect(second.locator("#notices")).to_contain_text("Somebody else has accepted it meanwhile.")
    _open(second, "clip <b>1")
    customer = visit(who=waiting.account("customer"), to=None)
    assert _told(customer, 0) == "ready"


def test_trunks_are_looked_at_again(visit: Visit) -> None:
    page = visit(role="operator", to="/trunks", language="en")
    with page.expect_response(lambda reply: reply.url.endswith("/trunks")) as looked:
        pass
    assert looked.value.request.headers["hx-request"] == "true"
    expect(page.locator("#live .trunk h2")).to_have_text("sandbox")
    assert page.locator("#live").count() == 1
    assert serious(page) == []


def test_trunks_in_a_hidden_tab_are_left_alone(visit: Visit) -> None:
    page = visit(role="operator", to="/trunks")
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.away !== false})")
    page.evaluate("window.looks = 0; document.addEventListener('htmx:before:request', () => { looks += 1 })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("looks") == 0
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    until(page, "looks === 1")


def test_account_is_added_and_credited_on_a_telephone(served_alone: Served, visit: Visit) -> None:
    page = visit(who=served_alone.account("boss", role="operator"), to="/accounts", width=360, language="en")
    page.get_by_role("link", name="Add an account").click()
    page.get_by_label("Name", exact=True).fill("<b>New</b>")
    page.get_by_role("button", name="Add an account").click()
    link = page.locator("#link").inner_text()
    assert re.fullmatch(r"\w{60}", page.locator("#key").inner_text())
    page.get_by_label("Amount").fill("250000")
    page.get_by_label("Comment").fill("contract")
    page.get_by_role("button", name="Credit it").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator(".pairs")).to_contain_text("250,000")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    guest = visit(who=served_alone.account("boss", role="operator"), to=link, language="en", signed_in=False)
    guest.get_by_role("button", name="Sign in without a password").click()
    expect(guest.locator(".who")).to_have_text("<b>New</b>")


def test_reference_finds_what_is_typed(visit: Visit) -> None:
    page = visit(to="/reference", signed_in=False, language="en")
    find = page.get_by_label("Find a method or a field")
    page.keyboard.press("/")
    expect(find).to_be_focused()
    page.keyboard.type("smartDelay")
    expect(page.locator("#apiCalls_create\\.smartDelay")).to_be_visible()
    expect(page.locator("#apiCalls_create\\.label")).to_be_hidden()
    expect(page.locator("#apiCalls_deleteRecord")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#apiCalls_deleteRecord")).to_be_visible()

    page.goto("/reference#apiCalls_create.ivrs.record.text")  # deep in folded parts
    expect(page.locator("#apiCalls_create\\.ivrs\\.record\\.text")).to_be_in_viewport()
    assert serious(page) == []


def test_first_view_is_light(visit: Visit) -> None:
    """What comes over the wire for the first page on a cold cache stays below 150 KB."""
    page = visit(to=None)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[int] = []
    network.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    page.goto("/", wait_until="networkidle")
    assert len(sizes) >= 5
    assert sum(sizes) < 150_000, sizes
