"""A real Chromium, a real service on the sandbox, and people who are signed in.

    def test_something(visit):
        page = visit()                          # signed in, Russian, 1280 px, light
        page = visit(language="en", width=360, theme="dark", role="operator")
        page.goto("/calls")

A page fails its test for a console error or warning, an exception, or a request to another host; what a test provokes
on purpose it says by `goes_wrong(page, "422")` (watcher.py). `serious(page)` (access.py) asks axe-core.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from service import Person, Served
from watcher import Visit, forget, watch
from world import World, make

GET = Path(__file__).parent.parent / "peers" / "get_chromium.sh"
AGENTS = {"ru": "ru-RU", "en": "en-US"}
WAITS_MS = 10_000
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--disable-gpu", "--force-color-profile=srgb"]


@pytest.fixture(scope="session")
def chromium(tell: Callable[[str], None]) -> str:
    """The program; skips, loudly, where there is none and none can be got (never in CI)."""
    tell("chromium: getting it, if it is not there yet")
    got = subprocess.run([GET], stdout=subprocess.PIPE, text=True, check=False)
    if got.returncode != 0:
        missing = "no Chromium on PATH, and tests/peers/get_chromium.sh got none: NOTHING was tested in a browser"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return got.stdout.strip()


@pytest.fixture(scope="package")
def playwright_driver() -> Iterator[Playwright]:
    """Package-wide, not longer: while it runs, this thread has an event loop, and tests of anyio could not run."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright_driver: Playwright, chromium: str) -> Iterator[Browser]:
    """With a microphone that is not there in truth: a beep each second."""
    started = playwright_driver.chromium.launch(executable_path=chromium, args=FLAGS)
    yield started
    started.close()


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests that do not disturb each other: an account each, where they leave something behind."""
    service = Served(tmp_path_factory.mktemp("served"))
    yield service
    service.close()


@pytest.fixture(scope="package")
def world(served: Served) -> World:
    """An operator of the shared service who has been busy; read it, change nothing."""
    return make(served)


@pytest.fixture
def served_alone(tmp_path: Path) -> Iterator[Served]:
    """A service of this test's own: to be restarted, killed, filled."""
    service = Served(tmp_path)
    yield service
    service.close()


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    """A page on the first room of somebody who signed in. Each has a context, that is cookies and storage, of its own.

    `who`: a Person; else `name` and `role` name one of the shared service. `microphone`: "granted"; else nobody
    allows it. `to`: the first address; None: none yet. `scripts`: JavaScript
    is on.
    """
    contexts: list[BrowserContext] = []

    def open_page(
        language: str = "ru", width: int = 1280, theme: str = "light", microphone: str | None = None,
        name: str = "anna", role: str = "user", who: Person | None = None, to: str | None = "/", scripts: bool = True,
        signed_in: bool = True, **more: Any,
    ) -> Page:  # fmt: skip
        person = who or served.account(name if role == "user" else f"{name}-{role}", role=role)
        context = browser.new_context(
            base_url=person.url, locale=AGENTS[language], color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": width, "height": 720 if width < 600 else 860}, timezone_id="Europe/Moscow",
            java_script_enabled=scripts, reduced_motion="reduce", has_touch=width < 600, **more,
        )  # fmt: skip
        contexts.append(context)
        context.set_default_timeout(WAITS_MS)
        if microphone == "granted":
            context.grant_permissions(["microphone"], origin=person.url)
        if signed_in:
            context.add_cookies(
                [{"name": "zvonar", "value": person.session, "url": person.url, "sameSite": "Strict", "httpOnly": True}]
            )
        watch(context, person.url)
        page = context.new_page()
        if to is not None:
            page.goto(to)
        return page

    yield open_page
    faults = []
    for context in contexts:
        for page in context.pages:
            if not page.is_closed():
                page.evaluate("1")  # what was said before this was heard
        faults += forget(context)
        context.close()
    assert not faults, "\n".join(faults)
