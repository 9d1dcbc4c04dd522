"""When a callee may be called: hours of the day and days of the week, by the wall clock of the account. Pure.

A moment is inside if the wall clock's time lies in the hours, and the day on which these hours began is one of the
days. So hours may run past midnight; hours that a clock change leaves out never come that day, and those that it
repeats are open twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

ALL_DAYS = frozenset(range(1, 8))
_LOOK_AHEAD_DAYS = 9  # a window that opens at all opens within a week and, past midnight, a day; a gap may take one
MIDNIGHT = time(0, 0)


class Opening(NamedTuple):
    """A stretch in which calls may be made, Unix seconds; `closes_at` None: it never ends."""

    opens_at: float
    closes_at: float | None


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` (inclusive) to `end` (exclusive; 00:00 is midnight at the end) on `days`, Monday is 1."""

    start: time
    end: time
    days: frozenset[int]
    zone: ZoneInfo

    @property
    def _whole_day(self) -> bool:
        return self.start == self.end == MIDNIGHT

    @property
    def never_opens(self) -> bool:
        """It begins when it ends."""
        return self.start == self.end != MIDNIGHT

    def inside(self, at: float) -> bool:
        """Whether calls may be made at that moment."""
        here = datetime.fromtimestamp(at, self.zone)
        clock = here.time().replace(tzinfo=None)
        if self.start < self.end or self._whole_day:
            open_now, began = self._whole_day or self.start <= clock < self.end, here.date()
        elif clock >= self.start:
            open_now, began = True, here.date()
        else:
            open_now, began = clock < self.end, here.date() - timedelta(days=1)
        return open_now and began.isoweekday() in self.days

    def next_opening(self, at: float) -> Opening | None:
        """The stretch that holds `at`, or the next one; None if there is none within a week (all left out)."""
        moments = [moment for moment in self._changes(at) if moment > at]
        opens_at = at if self.inside(at) else next((moment for moment in moments if self.inside(moment)), None)
        if opens_at is None:
            return None
        closes_at = next((moment for moment in moments if moment > opens_at and not self.inside(moment)), None)
        return Opening(opens_at, closes_at)

    def _changes(self, at: float) -> list[float]:
        """All moments about `at` and in the days after it at which inside may become outside or the other way."""
        first = datetime.fromtimestamp(at, self.zone).date() - timedelta(days=1)
        days = [first + timedelta(days=count) for count in range(_LOOK_AHEAD_DAYS + 2)]
        found: set[float] = set()
        for day in days:
            for clock in (self.start, self.end, MIDNIGHT):
                found |= {datetime.combine(day, clock, self.zone).replace(fold=fold).timestamp() for fold in (0, 1)}
            found.update(self._clock_change(day))
        return sorted(found)

    def _clock_change(self, day: date) -> Iterator[float]:
        """The moment at which the clock is changed on that day, if it is."""
        low = datetime.combine(day, MIDNIGHT, self.zone).timestamp()
        high = datetime.combine(day + timedelta(days=1), MIDNIGHT, self.zone).timestamp()
        before = self._offset(low)
        if before == self._offset(high):
            return
        while high - low > 0.5:
            middle = (low + high) / 2
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        yield float(round(high))

    def _offset(self, at: float) -> timedelta | None:
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone).utcoffset()
