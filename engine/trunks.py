"""The trunks as the dialer sees them: which one takes a call, and when it may."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from engine.clock import Clock, sleep_until
from engine.config import TrunkConfig
from engine.dial import DialError
from engine.pacing import Gcra


class TrunkState(NamedTuple):
    """What a trunk's registration has come to, and when."""

    up: bool
    reason: str  # why not, in one sentence without the password
    at: float


class TrunkRoom:
    """The places and the pace of one trunk. Belongs to the engine's loop."""

    def __init__(self, config: TrunkConfig, clock: Clock) -> None:
        self.config = config
        self._clock = clock
        self._pace = Gcra(config.cps)
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, *, urgent: bool = False) -> None:
        """Wait for a place (`max_calls`), then for the pace (`cps`); `leave` must follow.

        What is urgent (a callee waits on the line for it) gets the next place before those who wait already.
        """
        while self.config.max_calls is not None and self._taken >= self.config.max_calls:
            freed = asyncio.get_running_loop().create_future()
            if urgent:
                self._waiting.appendleft(freed)
            else:
                self._waiting.append(freed)
            try:
                await freed
            except asyncio.CancelledError:
                if freed.done() and not freed.cancelled():
                    self._wake()  # the place that we were promised goes to the next
                raise
        self._taken += 1
        try:
            await sleep_until(self._clock, self._pace.reserve(self._clock.now()))
        except asyncio.CancelledError:
            self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            freed = self._waiting.popleft()
            if not freed.done():
                freed.set_result(None)
                return

    def free(self) -> int | None:
        """How many calls may start within a second; None: as many as one likes."""
        places = None if self.config.max_calls is None else max(0, self.config.max_calls - self._taken)
        starts = self._pace.free(self._clock.now(), horizon_s=1.0)
        bounds = [bound for bound in (places, starts) if bound is not None]
        return min(bounds) if bounds else None


def choose(trunks: Sequence[TrunkConfig], name: str | None, outgoing: str | None) -> tuple[TrunkConfig, str]:
    """The trunk of that name, else the one that has the number, else the first; and the number to call from.

    `outgoing` is digits without plus. Raises DialError where there is no such trunk, or the number is none of its.
    """
    if name is not None:
        trunk = next((trunk for trunk in trunks if trunk.name == name), None)
        if trunk is None:
            known = ", ".join(trunk.name for trunk in trunks)
            raise DialError(f"there is no trunk {name!r}; configured: {known}")
    elif outgoing is not None:
        # A trunk without a list of numbers takes any.
        owners = [trunk for trunk in trunks if outgoing in trunk.numbers]
        trunk = (owners or [trunk for trunk in trunks if not trunk.numbers] or list(trunks))[0]
    else:
        trunk = trunks[0]
    if outgoing is None:
        if trunk.numbers:
            return trunk, trunk.numbers[0]
        if trunk.username and trunk.username.isdigit():
            return trunk, trunk.username
        raise DialError(f"trunk {trunk.name!r} has no numbers; say which one to call from")
    if trunk.numbers and outgoing not in trunk.numbers:
        raise DialError(f"{outgoing} is no number of trunk {trunk.name!r}; its numbers: {', '.join(trunk.numbers)}")
    return trunk, outgoing
