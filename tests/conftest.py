"""Fixtures for all tests, and the real peer that tests of more than one room need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import postgres as server
import pytest
from hypothesis import HealthCheck, settings

# A busy machine makes no test fail: what is slow is for the benchmarks to find.
settings.register_profile("zvonar", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zvonar")


@pytest.fixture
def anyio_backend() -> str:
    """Everything asynchronous of ours runs on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says something on the terminal, now: for what takes longer than five seconds."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def say(text: str) -> None:
        if reporter is not None:
            with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
                reporter.ensure_newline()
                reporter.write_line(text)

    return say


@pytest.fixture(scope="session")
def postgres(tell: Callable[[str], None]) -> Iterator[server.Postgres]:
    """A running PostgreSQL; skips, loudly, where there is none and none can be got (never in CI)."""
    tell("postgres: getting it, if it is not there yet, and starting it")
    try:
        programs = server.installed()
    except server.PostgresError as error:
        missing = f"{error}: NOTHING was tested on PostgreSQL"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    yield from server.running(programs)
