"""Fixtures for all tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Everything asynchronous of ours runs on asyncio."""
    return "asyncio"
