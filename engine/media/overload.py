"""What happens when there is more to do than time: late turns with their causes, and when calls are given up. Pure.

The ladder: above 70 % busy the dialer starts no call (`engine.engine`); from `REFUSE_BUSY` on no slot is opened here; a
turn that is late by a phase goes without hearing; and if the last `SUSTAINED_TURNS` were mostly late, the newest calls
are given up, a few at a time. Without it a load just above the limit ruins all calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from engine.media.pacer import TURN_S

REFUSE_BUSY: Final = 0.9
MEMORY_S: Final = 0.1  # of how busy we are
SUSTAINED_TURNS: Final = 64
MOSTLY: Final = 0.5
SHED_SHARE: Final = 0.05  # of the calls, at a time


class Cause(StrEnum):
    """Why a turn began late."""

    OWN_WORK = "own work"
    STEAL = "steal"  # the host of this virtual machine ran somebody else
    SCHEDULER = "scheduler"  # this machine ran somebody else


class Work(NamedTuple):
    """What was done since the turn before began, in seconds; `ended` is when, by the monotonic clock."""

    wall_s: float
    cpu_s: float
    ended: float


@dataclass(slots=True)
class Overload:
    """Told of every turn as it begins."""

    busy: float = 0.0  # share of the time worked lately
    late: Counter[Cause] = field(default_factory=Counter)  # late turns so far
    _begun: float | None = None
    _turns: int = 0  # since calls were last given up
    _late_share: float = 0.0

    @property
    def refusing(self) -> bool:
        """No slot is to be opened now."""
        return self.busy >= REFUSE_BUSY

    def turn(self, now: float, behind_s: float, work: Work, stolen: Callable[[], bool]) -> bool:
        """A turn begins, so late. True if that is too late to hear.

        `stolen` tells whether the host took time from us since it was last asked; it is asked for late turns only.
        """
        if self._begun is not None:
            elapsed = max(now - self._begun, 1e-6)
            self.busy += (min(1.0, work.wall_s / elapsed) - self.busy) * min(1.0, elapsed / MEMORY_S)
        self._begun = now
        late = behind_s > TURN_S
        self._turns += 1
        self._late_share += (late - self._late_share) / SUSTAINED_TURNS
        if late:
            self.late[self._cause(now - behind_s, behind_s, work, stolen())] += 1
        return late

    def _cause(self, due: float, behind_s: float, work: Work, stolen: bool) -> Cause:
        """Own work, if it lasted beyond the deadline for most of the delay and was on the CPU meanwhile."""
        stood_still = work.wall_s - work.cpu_s
        if work.ended - due > behind_s / 2 and stood_still < behind_s / 2:
            return Cause.OWN_WORK
        return Cause.STEAL if stolen else Cause.SCHEDULER

    def shed(self, calls: int) -> int:
        """How many of so many calls are to be given up now: 0 while it can be borne."""
        if self._turns < SUSTAINED_TURNS or self._late_share < MOSTLY:
            return 0
        self._turns, self._late_share = 0, 0.0  # first see what comes of it
        return max(1, int(calls * SHED_SHARE))
