"""The first view of the page on a cold cache: time to its load event, bytes on the wire, requests; medians.

PYTHONPATH=.:tests/api:tests/browser python tests/browser/first_view.py CHROMIUM
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright
from service import Person, Served

VIEWS = 9
TOLD = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const bytes = all.reduce((sum, one) => sum + one.transferSize, 0);
  return [all[0].loadEventEnd, paint ? paint.startTime : 0, bytes, all.length];
}"""


def main(chromium: str) -> None:
    """A line for each of two pages."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        served = Served(Path(folder))
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            for path in ("/", "/calls"):
                views = [_view(browser, served.account(), path) for _ in range(VIEWS)]
                loaded, painted, size, requests = (median(values) for values in zip(*views, strict=True))
                print(
                    f"{path}: loaded after {loaded:.0f} ms, painted after {painted:.0f} ms, {size / 1000:.1f} KB in "
                    f"{requests:.0f} requests (medians of {VIEWS}; the slowest {max(views)[0]:.0f} ms)"
                )
        finally:
            browser.close()
            served.close()


def _view(browser: Browser, who: Person, path: str) -> list[float]:
    context = browser.new_context(base_url=who.url, locale="ru")  # its cache is its own, and empty
    context.add_cookies([{"name": "zvonar", "value": who.session, "url": who.url}])
    page = context.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    told: list[float] = page.evaluate(TOLD)
    context.close()
    return told


if __name__ == "__main__":
    main(sys.argv[1])
