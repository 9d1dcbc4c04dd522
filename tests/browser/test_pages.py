"""Every room: both languages, both themes, wide and narrow; by keyboard, by screen reader, and without JavaScript."""

from __future__ import annotations

import os
from typing import Any

import pytest
from access import serious
from playwright.sync_api import Page, expect
from watcher import Visit
from world import OUTGOING, World

from api.page.navigation import ROOMS

pytestmark = pytest.mark.peer

PATHS = [room.path for room in ROOMS]
PAGES = [*PATHS, "/calls/{call}", "/records/{clip}", "/sign-in", "/link/old"]
# Every pair of language, theme and width is there.
# Each language, theme and width once; `ZVONAR_LOOKS=all`: each pair of them.
LOOKS = [("ru", "light", 1280), ("en", "dark", 360)]
if os.environ.get("ZVONAR_LOOKS") == "all":
    LOOKS += [("ru", "dark", 360), ("en", "dark", 1280), ("en", "light", 360)]
FIRST_VIEW_BYTES = 150_000

# What stands out to the right of the window, though no box of its own scrolls it.
WIDER = """() => {
  const scrolls = (element) => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible") return true;
    return false;
  };
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(one))
    .map((one) => one.outerHTML.slice(0, 120)).slice(0, 5).concat([`${root.scrollWidth} px wide`]);
}"""
# What Tab must reach. Of radio buttons with one name, it reaches one.
FOCUSABLE = """() => {
  const names = new Set();
  window.wanted = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, audio[controls], [tabindex]")].filter((one) => {
      if (one.disabled || one.tabIndex < 0 || !one.checkVisibility({ visibilityProperty: true })) return false;
      if (one.matches("input[type=radio]")) {
        const group = document.querySelectorAll(`input[type=radio][name="${CSS.escape(one.name)}"]`);
        const stands = [...group].find((radio) => radio.checked) || group[0];
        return one === stands;
      }
      return !one.matches("input[type=hidden]");
    });
  window.passed = [];
  document.body.tabIndex = -1; // from the top, wherever the page has put the focus
  document.body.focus();
  document.body.removeAttribute("tabindex");
  return window.wanted.length;
}"""
# Where the focus is: "" at the end of the page, else what is wrong with it ("ok": nothing).
FOCUSED = """async () => {
  const one = document.activeElement;
  if (!one || one === document.body || window.passed[0] === one) return "";
  const last = window.passed[window.passed.length - 1];
  window.passed.push(one);
  await Promise.allSettled(one.getAnimations().map((animation) => animation.finished));
  const told = one.outerHTML.slice(0, 150), style = getComputedStyle(one), box = one.getBoundingClientRect();
  if (last && last.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING) return "out of order: " + told;
  const seen = one.matches("input[type=file], .unseen *, .unseen") ? one.closest("label") || one.parentElement : one;
  const outlined = [one, seen].some((box) => {
    const style = getComputedStyle(box);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  });
  if (!outlined) return "no visible focus: " + told;
  if (box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth) return "out of sight: " + told;
  return "ok";
}"""
MISSED = "() => window.wanted.filter((one) => !window.passed.includes(one)).map((one) => one.outerHTML.slice(0, 150))"


def enter(visit: Visit, world: World, path: str, **look: Any) -> Page:
    inside = path not in ("/sign-in", "/link/old")
    page = visit(who=world.person, to=None, signed_in=inside, **look)
    page.goto(path.format(call=world.calls[0], clip=world.clips[2]))
    return page


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_page(visit: Visit, world: World, path: str, language: str, theme: str, width: int) -> None:
    page = enter(visit, world, path, language=language, theme=theme, width=width)
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert page.evaluate(WIDER) == []
    assert serious(page) == []


@pytest.mark.parametrize(("path", "width"), [*((path, 360) for path in PAGES), ("/", 1280), ("/calls", 1280)])
def test_tab_goes_through_the_page(visit: Visit, world: World, path: str, width: int) -> None:
    page = enter(visit, world, path, width=width)
    most = page.evaluate(FOCUSABLE) + 30  # boxes that scroll are reached, too
    wrong = []
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate(FOCUSED)
        if not told:
            break
        wrong += [told] if told != "ok" else []
    assert wrong == []
    assert page.evaluate(MISSED) == []


def test_skip_link_leads_past_the_rooms(visit: Visit, world: World) -> None:
    page = enter(visit, world, "/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_rooms_are_behind_a_button_on_a_phone(visit: Visit, world: World) -> None:
    page = enter(visit, world, "/", width=360)
    rooms = page.locator("#rooms")
    expect(rooms).to_be_hidden()
    page.get_by_role("button", name="Меню", exact=True).press("Enter")
    expect(rooms.get_by_role("link")).to_have_count(len(ROOMS))


def test_language_and_theme_stay(visit: Visit, world: World) -> None:
    page, root = enter(visit, world, "/"), "document.documentElement"
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Theme", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/calls")
    page.reload()
    assert page.evaluate(f"[{root}.lang, {root}.dataset.theme]") == ["en", "dark"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground


def test_first_view_is_small_and_from_here(visit: Visit, world: World) -> None:
    page = enter(visit, world, "/")
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map((entry) => [entry.name, entry.transferSize])"
    )
    assert sum(size for _, size in sizes) < FIRST_VIEW_BYTES, sizes


@pytest.mark.parametrize("path", PATHS)
def test_page_reads_without_javascript(visit: Visit, world: World, path: str) -> None:
    page = enter(visit, world, path, scripts=False, width=360)
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("#rooms").get_by_role("link")).to_have_count(len(ROOMS))


def test_table_of_calls_reads_without_javascript(visit: Visit, world: World) -> None:
    page = enter(visit, world, "/calls", scripts=False)
    link = page.locator("main table").locator(f'a[href="/calls/{world.calls[0]}"]')
    expect(page.locator("main tbody tr")).to_have_count(len(world.calls))
    link.first.click()
    expect(page).to_have_url(f"{world.person.url}/calls/{world.calls[0]}")
    expect(page.locator("main")).to_contain_text(OUTGOING[-4:-2])
