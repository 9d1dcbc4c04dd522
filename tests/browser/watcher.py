"""What a page must not do while a test uses it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError

Visit = Callable[..., Page]  # the fixture `visit`


class Watcher:
    """Collects a context's console errors (a violated Content-Security-Policy is one), uncaught exceptions, and
    requests to other hosts. A test that provokes some on purpose says so: `expect`.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._expected: list[str] = []
        self.found: list[str] = []
        self.requests: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, *texts: str) -> None:
        """What holds one of these texts is no fault of this test's pages: "422", "ERR_CONNECTION_REFUSED"."""
        self._expected += texts

    @property
    def faults(self) -> list[str]:
        """What was found and not expected."""
        return [fault for fault in self.found if not any(text in fault for text in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self.found.append(f"exception: {error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        self.requests.append(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self.found.append(f"request to another host: {request.url}")


def goes_wrong(page: Page, *texts: str) -> None:
    """This test provokes such faults on purpose: see `Watcher.expect`."""
    watcher_of(page).expect(*texts)


def watcher_of(page: Page) -> Watcher:
    """Who watches the page's context."""
    return _WATCHERS[page.context]


def watch(context: BrowserContext, url: str) -> Watcher:
    """From now on."""
    _WATCHERS[context] = Watcher(context, url)
    return _WATCHERS[context]


def forget(context: BrowserContext) -> list[str]:
    """No more; the faults."""
    return _WATCHERS.pop(context).faults


_WATCHERS: dict[BrowserContext, Watcher] = {}


def until(page: Page, holds: str) -> None:
    """Wait until a JavaScript expression is true.

    Playwright's own waiting evaluates texts in the page, and the page's policy forbids that.
    """
    came = page.evaluate(f"""async () => {{
      for (let tries = 0; tries < 400; tries += 1) {{
        if ({holds}) return true;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }}
      return false;
    }}""")
    assert came, f"never came: {holds}"
