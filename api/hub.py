"""The facts of running calls, for those who watch: told in the engine's thread, read in the service's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

Fact = dict[str, Any]


_Watcher = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class _Channel:
    __slots__ = ("before", "facts", "over", "watchers")

    def __init__(self, before: int) -> None:
        self.before = before
        self.facts: list[Fact] = []
        self.over = False
        self.watchers: set[_Watcher] = set()

    def wake(self) -> None:
        _wake(self.watchers)


def _wake(watchers: set[_Watcher]) -> None:
    for loop, event in list(watchers):
        try:
            loop.call_soon_threadsafe(event.set)
        except RuntimeError:  # that loop has ended, and its watcher with it
            watchers.discard((loop, event))


class Hub:
    """Channels by call. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: dict[int, _Channel] = {}
        self._waiting: dict[int, set[_Watcher]] = {}  # for calls that no channel is open for
        self._closed = False

    def open(self, call: int, before: int = 0) -> None:
        """A dialing begins. `before` facts were told of earlier ones of the same api-call: `seq` is counted on."""
        with self._lock:
            self._channels.setdefault(call, _Channel(before))
            _wake(self._waiting.get(call, set()))

    def tell(self, call: int, fact: Fact) -> None:
        """Something happened in it."""
        with self._lock:
            channel = self._channels.get(call)
            if channel is not None:
                channel.facts.append({**fact, "seq": channel.before + fact["seq"]})
                channel.wake()

    def facts(self, call: int) -> list[Fact]:
        """What was told of a running call so far."""
        with self._lock:
            channel = self._channels.get(call)
            return list(channel.facts) if channel else []

    def close(self, call: int) -> None:
        """The call is over, and its facts are in the store."""
        with self._lock:
            channel = self._channels.pop(call, None)
            if channel is not None:
                channel.over = True
                channel.wake()
            _wake(self._waiting.get(call, set()))

    def close_all(self) -> None:
        """Nobody watches any more."""
        with self._lock:
            self._closed = True
            for channel in self._channels.values():
                channel.over = True
                channel.wake()
            self._channels.clear()
            for waiting in self._waiting.values():
                _wake(waiting)

    @property
    def closed(self) -> bool:
        """The service is ending."""
        return self._closed

    async def watch(self, call: int) -> AsyncIterator[Fact]:
        """The facts of a running call, past ones first, until it is over; nothing if it is not running."""
        with self._lock:
            channel = self._channels.get(call)
            if channel is None:
                return
            event = asyncio.Event()
            watcher = (asyncio.get_running_loop(), event)
            channel.watchers.add(watcher)
        try:
            told = 0
            while True:
                event.clear()
                over = channel.over
                while told < len(channel.facts):
                    yield channel.facts[told]
                    told += 1
                if over:
                    return
                await event.wait()
        finally:
            channel.watchers.discard(watcher)

    @contextmanager
    def listening(self, call: int) -> Iterator[asyncio.Event]:
        """An event that is set when a dialing of it begins or ends in this process; at once, if one goes on already.

        Listen before you look into the store: what happens while you look is not missed then.
        """
        event = asyncio.Event()
        watcher = (asyncio.get_running_loop(), event)
        with self._lock:
            self._waiting.setdefault(call, set()).add(watcher)
            if self._closed or call in self._channels:
                event.set()
        try:
            yield event
        finally:
            with self._lock:
                waiting = self._waiting[call]
                waiting.discard(watcher)
                if not waiting:
                    del self._waiting[call]
