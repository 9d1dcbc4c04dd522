"""The one clock. Nothing else in the control process asks for the time or sets a timer.

Time is Unix seconds as a float. The system clock is anchored once and then runs on the monotonic clock, so it
never jumps; the media process is given the same anchor, so its times compare with ours.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """What `Clock.call_at` returns; `cancel` is idempotent and may come after it fired."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Tells the time and calls back at a time; used from one thread only."""

    def now(self) -> float: ...

    def call_at(self, at: float, callback: Callable[[], object]) -> Timer: ...


async def sleep_until(clock: Clock, at: float) -> None:
    """Wait until `at` on that clock; used from the clock's thread."""
    if at <= clock.now():
        return
    woken = asyncio.Event()
    timer = clock.call_at(at, woken.set)
    try:
        await woken.wait()
    finally:
        timer.cancel()


def anchor() -> float:
    """Unix seconds minus monotonic seconds: what must be added to `time.monotonic()` to tell the time."""
    return time.time() - time.monotonic()


class SystemClock:
    """The clock of a running event loop. Belongs to that loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self.anchor = anchor()
        # A loop may count from another origin than time.monotonic (uvloop does).
        self._loop_offset = self.anchor + time.monotonic() - self._loop.time()

    def now(self) -> float:
        return self.anchor + time.monotonic()

    def call_at(self, at: float, callback: Callable[[], object]) -> Timer:
        return self._loop.call_at(at - self._loop_offset, callback)


class _SimulatedTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class SimulatedClock:
    """A clock that jumps: `advance` runs what falls due, in order, without waiting."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._due: list[tuple[float, int, _SimulatedTimer]] = []

    def now(self) -> float:
        return self._now

    def call_at(self, at: float, callback: Callable[[], object]) -> Timer:
        timer = _SimulatedTimer(callback)
        heapq.heappush(self._due, (max(at, self._now), next(self._order), timer))
        return timer

    @property
    def pending(self) -> int:
        """How many timers are set and not cancelled."""
        return sum(timer.callback is not None for _, _, timer in self._due)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, calling what falls due at its own time."""
        until = self._now + seconds
        while self._due and self._due[0][0] <= until:
            self._now, _, timer = heapq.heappop(self._due)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._now = until
