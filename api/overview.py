"""What whoever runs the service looks at: trunks, nodes, the queue. Counted once for all who look."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from api.store import nodes, queue, traffic
from api.store.database import Database
from api.store.nodes import Known
from api.store.traffic import MINUTE_S, Now, Stretch

MINUTES = 60
STARTS_OVER_S = 10  # starts a second are told of so long
_FRESH_S = 2.0
_HOUR_FRESH_S = 10.0  # of the last hour: at fifty calls a second it takes 0.1 s to count
FAULTS = ("trunk_error", "congestion")  # dispositions that are the trunk's, not the callee's


@dataclass(frozen=True, slots=True)
class Minute:
    """Of one trunk: calls that ended in it, and how many were going on at some time in it."""

    at: int  # Unix seconds at its beginning
    answered: int
    failed: int
    faults: int  # of those that failed: the trunk's
    running: int


@dataclass(frozen=True, slots=True)
class Look:
    """All of it at one time."""

    at: float
    now: Sequence[Now]
    starts: Counter[tuple[str, str]]
    stretches: Sequence[Stretch]
    nodes: Sequence[Known]
    waits: dict[str, int]

    def minutes(self, trunk: str) -> list[Minute]:
        """The last hour of a trunk."""
        return minutes([stretch for stretch in self.stretches if stretch.trunk == trunk], self.at)


class Overview:
    """May be asked from any thread; blocks. What it tells is at most `_FRESH_S` old, the last hour
    `_HOUR_FRESH_S`."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._hour: tuple[float, Sequence[Stretch]] | None = None

    def look(self) -> Look:
        """How it stands."""
        with self._lock:
            now = self._now()
            if self._look is None or not 0 <= now - self._look.at < _FRESH_S:
                self._look = self._count(now)
            return self._look

    def _count(self, now: float) -> Look:
        with self._database.read() as db:
            if self._hour is None or not 0 <= now - self._hour[0] < _HOUR_FRESH_S:
                since = (int(now) // MINUTE_S - MINUTES + 1) * MINUTE_S
                self._hour = now, traffic.stretches(db, since)
            return Look(
                at=now,
                now=traffic.going_on(db),
                starts=traffic.starts(db, now - STARTS_OVER_S),
                stretches=self._hour[1],
                nodes=nodes.every(db),
                waits=queue.waits(db, now),
            )


def minutes(stretches: Iterable[Stretch], now: float) -> list[Minute]:
    """The last `MINUTES` minutes, the current one last."""
    last = int(now) // MINUTE_S
    first = last - MINUTES + 1
    answered, failed, faults, running = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    for stretch in stretches:
        end = last if stretch.end is None else stretch.end
        for minute in range(max(first, stretch.begin), min(last, end) + 1):
            running[minute] += stretch.count
        if stretch.end is not None:
            told = answered if (stretch.disposition or "").startswith("answered") else failed
            told[stretch.end] += stretch.count
            if stretch.disposition in FAULTS:
                faults[stretch.end] += stretch.count
    return [
        Minute(minute * MINUTE_S, answered[minute], failed[minute], faults[minute], running[minute])
        for minute in range(first, last + 1)
    ]
