"""What the fixtures are there to find, they find."""

from __future__ import annotations

import pytest
from access import serious
from watcher import Visit, goes_wrong, watcher_of

pytestmark = pytest.mark.peer


def test_faults_of_a_page_are_found(visit: Visit) -> None:
    page = visit()
    goes_wrong(page, "127.0.0.2", "ouch", "inline style")
    page.evaluate("fetch('http://127.0.0.2:1/').catch(() => 0)")
    page.evaluate("setTimeout(() => { throw new Error('ouch') })")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')")
    page.evaluate("console.error('ouch')")
    found = "\n".join(watcher_of(page).found)
    for fault in ("Connecting to 'http://127.0.0.2:1/' violates", "exception", "error: ouch", "inline style"):
        assert fault in found


def test_axe_finds_what_is_not_accessible(visit: Visit) -> None:
    page = visit()
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert [finding.split(":")[0] for finding in serious(page)] == ["label (critical)"]
