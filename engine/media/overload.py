"""What happens when there is more to do than time: late turns with their causes, and when calls are given up. Pure.

The ladder: above 70 % busy the dialer starts no call (`engine.engine`); from `REFUSE_LOAD` on no slot is opened here; a
turn that is late by a phase goes without hearing; and if many of the last `SUSTAINED_TURNS` were late, the newest calls
are given up, a few at a time until it is borne. Without it a load just above the limit ruins all calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from engine.media.pacer import FRAME_S, TURN_S

REFUSE_LOAD: Final = 0.9  # Linux stops a SCHED_FIFO thread that works more than 95 % of a second
SHED_LOAD: Final = 0.85  # to which calls are given up
MEMORY_S: Final = 0.1  # of the load
SUSTAINED_TURNS: Final = 64
LATE_SHARE: Final = 0.25  # of those turns; a single stall makes a few late, and leaves the load low
TELLING_CALLS: Final = 50  # fewer in a turn do not tell what a call costs, but what a turn does
SHARES: Final = (0.03, 0.1)  # of the calls, given up at a time: many that begin at once are dear for a moment only


class Cause(StrEnum):
    """Why a turn began late."""

    OWN_WORK = "own work"
    STEAL = "steal"  # the host of this virtual machine ran somebody else
    SCHEDULER = "scheduler"  # this machine ran somebody else


class Work(NamedTuple):
    """What was done since the turn before began, in seconds; `ended` is when, by the monotonic clock."""

    turn_s: float  # the turn itself
    served: int  # calls that it served
    beside_s: float  # commands and clips
    cpu_s: float
    ended: float

    @property
    def wall_s(self) -> float:
        return self.turn_s + self.beside_s


@dataclass(slots=True)
class Overload:
    """Told of every turn as it begins."""

    load: float = 0.0  # the time that a turn takes, as a share of the time it has; may be above 1
    late: Counter[Cause] = field(default_factory=Counter)  # late turns so far
    _cost_s: float = 0.0  # of a call and frame
    _turns: int = 0  # since calls were last given up
    _late_share: float = 0.0

    def refuses(self, slots: int) -> bool:
        """No slot is to be opened beside so many: there is no time for it, or will be none once they all speak."""
        return self.load >= REFUSE_LOAD or self._cost_s * (slots + 1) >= REFUSE_LOAD * FRAME_S

    def turn(self, due: float, behind_s: float, span_s: float, work: Work, stolen: Callable[[], bool]) -> bool:
        """A turn that was due then begins, so late. True if that is too late to hear.

        `span_s` is the time that the turn before had. `stolen` tells whether the host took time from us since it was
        last asked; it is asked for late turns only.
        """
        weight = min(1.0, span_s / MEMORY_S)
        self.load += (work.turn_s / span_s - self.load) * weight
        if work.served >= TELLING_CALLS:
            self._cost_s += (work.turn_s / work.served - self._cost_s) * weight
        late = behind_s > TURN_S
        self._turns += 1
        self._late_share += (late - self._late_share) / SUSTAINED_TURNS
        if late:
            self.late[self._cause(due, behind_s, work, stolen())] += 1
        return late

    def _cause(self, due: float, behind_s: float, work: Work, stolen: bool) -> Cause:
        """Own work, if it lasted beyond the deadline for most of the delay and was on the CPU meanwhile."""
        stood_still = work.wall_s - work.cpu_s
        if work.ended - due > behind_s / 2 and stood_still < behind_s / 2:
            return Cause.OWN_WORK
        return Cause.STEAL if stolen else Cause.SCHEDULER

    def shed(self, calls: int) -> int:
        """How many of so many calls are to be given up now: 0 while it can be borne."""
        if self._turns < SUSTAINED_TURNS or self._late_share < LATE_SHARE or self.load < SHED_LOAD:
            return 0
        least, most = SHARES
        share = min(max(least, 1 - SHED_LOAD / self.load), most)
        # First see what comes of it; giving up is work, too.
        self._turns, self._late_share, self.load = -SUSTAINED_TURNS, 0.0, SHED_LOAD
        return max(1, int(calls * share))
