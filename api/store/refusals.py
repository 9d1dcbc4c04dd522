"""How often requests of an account were refused: by hour, method and code. Counts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from api.store.schema import refusals

HOUR_S = 3600
KEPT_S = 31 * 86_400  # the page looks 30 days back


class Kind(NamedTuple):
    """What is counted apart. `hour` is Unix time / 3600."""

    account_id: int
    hour: int
    method: str
    code: str


@dataclass(frozen=True, slots=True)
class Total:
    """How often a method was refused with a code, and when last (the beginning of that hour)."""

    method: str
    code: str
    count: int
    last_at: float


def add(db: Connection, counts: Mapping[Kind, int]) -> None:
    """Add to what was counted before; always in one order, so that two nodes do not wait for each other."""
    make = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    new = make(refusals)
    more = new.on_conflict_do_update(
        index_elements=[refusals.c.account_id, refusals.c.hour, refusals.c.method, refusals.c.code],
        set_={"count": refusals.c.count + new.excluded.count},
    )
    rows = [{**kind._asdict(), "count": count} for kind, count in sorted(counts.items())]
    if rows:
        db.execute(more, rows)


def forget(db: Connection, now: float) -> None:
    """Drop what is older than anybody can look at."""
    db.execute(delete(refusals).where(refusals.c.hour < (now - KEPT_S) // HOUR_S))


def by_hour(db: Connection, account_id: int, since: int) -> dict[int, int]:
    """Hour -> how many, from that hour on; hours without any are left out."""
    mine = select(refusals.c.hour, func.sum(refusals.c.count)).group_by(refusals.c.hour)
    mine = mine.where(refusals.c.account_id == account_id, refusals.c.hour >= since)
    return {hour: int(count) for hour, count in db.execute(mine)}


def totals(db: Connection, account_id: int, since: int) -> list[Total]:
    """By code and method from that hour on, the most frequent first."""
    count, last = func.sum(refusals.c.count), func.max(refusals.c.hour)
    mine = (
        select(refusals.c.method, refusals.c.code, count, last)
        .where(refusals.c.account_id == account_id, refusals.c.hour >= since)
        .group_by(refusals.c.method, refusals.c.code)
        .order_by(count.desc(), refusals.c.code, refusals.c.method)
    )
    return [Total(method, code, int(many), hour * HOUR_S) for method, code, many, hour in db.execute(mine)]
