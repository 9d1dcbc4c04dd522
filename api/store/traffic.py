"""What goes over the trunks: calls now, starts just now, and the last hour by minutes; of all nodes together.

The last hour is counted in the index `ix_calls_over` alone, calls now in `ix_calls_going_on`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select, union_all

from api.store.schema import calls

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Now:
    """Calls that have a place: claimed, ringing or talking."""

    trunk: str
    number: str
    node: str
    count: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many calls that began and ended in these minutes (Unix time / 60); `end` is None where they go on."""

    trunk: str
    begin: int
    end: int | None
    disposition: str | None
    count: int


def going_on(db: Connection) -> list[Now]:
    """The calls that take a place just now."""
    mine = (
        select(calls.c.trunk, calls.c.outgoing, calls.c.owner, func.count())
        .where(calls.c.owner.is_not(None), calls.c.trunk.is_not(None))
        .group_by(calls.c.trunk, calls.c.outgoing, calls.c.owner)
    )
    return [Now(*row) for row in db.execute(mine)]


def starts(db: Connection, since: float) -> Counter[tuple[str, str]]:
    """How many calls have started since then, by trunk and number."""
    ongoing = select(calls.c.trunk, calls.c.outgoing).where(calls.c.owner.is_not(None), calls.c.started_at >= since)
    over = select(calls.c.trunk, calls.c.outgoing).where(calls.c.finished_at >= since, calls.c.started_at >= since)
    both = union_all(ongoing, over).subquery()
    counted = select(both.c.trunk, both.c.outgoing, func.count()).group_by(both.c.trunk, both.c.outgoing)
    return Counter({(row[0], row[1]): row[2] for row in db.execute(counted)})


def stretches(db: Connection, since: float) -> list[Stretch]:
    """The calls that have ended since then, and those that go on."""
    begin, end = _minute(db, calls.c.started_at), _minute(db, calls.c.finished_at)
    over = (
        select(calls.c.trunk, begin, end, calls.c.disposition, func.count())
        .where(calls.c.finished_at >= since, calls.c.started_at.is_not(None), calls.c.trunk.is_not(None))
        .group_by(calls.c.trunk, begin, end, calls.c.disposition)
    )
    ongoing = (
        select(calls.c.trunk, begin, func.count())
        .where(calls.c.owner.is_not(None), calls.c.trunk.is_not(None), calls.c.started_at.is_not(None))
        .group_by(calls.c.trunk, begin)
    )
    return [
        *(Stretch(*row) for row in db.execute(over)),
        *(Stretch(trunk, minute, None, None, count) for trunk, minute, count in db.execute(ongoing)),
    ]


def _minute(db: Connection, at: Any) -> Any:
    whole = at / MINUTE_S
    return cast(whole if db.dialect.name == "sqlite" else func.floor(whole), Integer)  # a cast rounds on PostgreSQL
