"""The real peers, one of each for the whole run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from asterisk import Asterisk, available, running


@pytest.fixture(scope="session")
def asterisk(tell: Callable[[str], None]) -> Iterator[Asterisk]:
    """A running Asterisk; skips, loudly, where the machine has neither one nor apt to get it with (never in CI)."""
    if not available():
        missing = "no Asterisk and no apt here: NOTHING was tested against a real exchange"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    tell("asterisk: getting it, if it is not there yet, and starting it")
    yield from running()
