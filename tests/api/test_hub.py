"""Who watches a call misses nothing of it."""

from __future__ import annotations

import asyncio

import pytest

from api.hub import Hub


@pytest.mark.anyio
async def test_call_that_begins_and_ends_while_the_store_is_looked_at() -> None:
    hub = Hub()
    with hub.listening(7) as begun:
        assert not begun.is_set()
        hub.open(7)
        hub.close(7)
        await asyncio.sleep(0)
        assert begun.is_set()


@pytest.mark.anyio
async def test_call_that_goes_on_already() -> None:
    hub = Hub()
    hub.open(7)
    with hub.listening(7) as begun, hub.listening(8) as other:
        assert begun.is_set()
        assert not other.is_set()


@pytest.mark.anyio
async def test_service_that_ends() -> None:
    hub = Hub()
    with hub.listening(7) as begun:
        hub.close_all()
        await asyncio.sleep(0)
        assert begun.is_set()
    with hub.listening(7) as begun:
        assert begun.is_set()
