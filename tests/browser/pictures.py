"""`make pictures`: the main pages as they look, into docs/pictures; of a real service with real calls.

The times on them are those of the run, so that each run changes them: it is for when a page looks different.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from service import Person, Served
from world import PRESSES_1, make

INTO = Path(__file__).parent.parent.parent / "docs" / "pictures"
MOST_BYTES = 300_000
CALL_MS = 40_000


def main(chromium: str) -> None:
    """Each picture; SystemExit if one is too large."""
    INTO.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        served = Served(Path(folder))
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            _pictures(browser, served)
        finally:
            browser.close()
            served.close()


def _pictures(browser: Browser, served: Served) -> None:
    world = make(served, "anna", role="user", odd="Перенос визита")
    _watched(_page(browser, world.person))
    for name, path, look in (
        ("call", f"/calls/{world.calls[0]}", {}),
        ("calls", "/calls", {}),
        ("records", "/records", {}),
        ("receiver-english", "/receiver", {"language": "en"}),
        ("call-dark", f"/calls/{world.calls[0]}", {"theme": "dark"}),
        ("emulator-narrow", "/", {"width": 360}),
    ):
        page = _page(browser, world.person, **look)  # type: ignore[arg-type]
        page.goto(path)
        page.wait_for_load_state("networkidle")
        _save(page, name)
        page.context.close()


def _page(browser: Browser, who: Person, language: str = "ru", theme: str = "light", width: int = 1120) -> Page:
    context = browser.new_context(
        base_url=who.url, locale=language, color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 780 if width > 600 else 760}, timezone_id="Europe/Moscow",
        reduced_motion="reduce",
    )  # fmt: skip
    context.add_cookies([{"name": "zvonar", "value": who.session, "url": who.url}])
    return context.new_page()


def _watched(page: Page) -> None:
    """The emulator with a clip and a call that it made, watched to its end."""
    page.goto("/")
    page.get_by_label("Номер вызываемого абонента").press_sequentially(PRESSES_1[1:])
    page.get_by_role("tab", name="Сохраненные").click()
    page.get_by_role("button", name="Выбрать").first.click()
    page.get_by_text("Добавить голосовое меню").click()
    page.locator("voice-menu summary").get_by_text("Примеры").click()
    page.get_by_role("button", name="Подтвердить запись").first.click()
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.set_viewport_size({"width": 1280, "height": 1500})
    _save(page, "emulator")
    page.get_by_role("button", name="Сгенерировать запрос").click()
    page.locator("call-watch .watch-steps .ended").wait_for(timeout=CALL_MS)
    _save(page, "watched", page.locator("call-watch"))
    page.context.close()


def _save(page: Page, name: str, part: Locator | None = None) -> None:
    content = (part or page).screenshot(animations="disabled", caret="hide")
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{name}: {len(content)} bytes, more than {MOST_BYTES}")
    (INTO / f"{name}.png").write_bytes(content)
    print(f"docs/pictures/{name}.png: {len(content) // 1024} KB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
