"""What waits in the queue, in the order in which it is due, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select, text, tuple_

from api.store.schema import calls, requests

COUNTED = 100_000  # of what waits; beyond, "more than"


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted; None and "": anything. `waits_for` as in `api.store.windows`, `turn` for those that are due."""

    waits_for: str | None = None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that waits."""

    id: int
    api_call_id: int
    phone: str
    outgoing: str
    waits_for: str
    due_at: float
    closes_at: float | None
    created_at: float
    label: str


class Page(NamedTuple):
    """Rows by due time. `after` is the key of the last one, where there are more."""

    rows: list[Plan]
    after: tuple[float, int] | None


def page(db: Connection, account_id: int, wanted: Filter, after: tuple[float, int] | None, most: int) -> Page:
    """A page behind that key."""
    label = requests.c.options["label"].as_string()
    mine = _matching(
        select(
            calls.c.id, calls.c.api_call_id, calls.c.phone, calls.c.outgoing, calls.c.waits_for, calls.c.due_at,
            calls.c.closes_at, calls.c.created_at, calls.c.request_id,
        ),
        account_id, wanted,
    )  # fmt: skip
    if after is not None:
        mine = mine.where(tuple_(calls.c.due_at, calls.c.id) > tuple_(*after))
    near = mine.order_by(calls.c.due_at, calls.c.id).limit(most + 1).subquery()
    rows = db.execute(
        select(near, label.label("label"))
        .outerjoin(requests, requests.c.id == near.c.request_id)
        .order_by(near.c.due_at, near.c.id)
    ).all()
    plans = [
        Plan(row.id, row.api_call_id, row.phone, row.outgoing, row.waits_for, row.due_at, row.closes_at,
             row.created_at, row.label or "")
        for row in rows[:most]
    ]  # fmt: skip
    more = len(rows) > most
    return Page(plans, (plans[-1].due_at, plans[-1].id) if more else None)


def count(db: Connection, account_id: int, wanted: Filter) -> int:
    """How many wait; `COUNTED` stands for that many or more."""
    some = _matching(select(calls.c.id), account_id, wanted).limit(COUNTED).subquery()
    return db.execute(select(func.count()).select_from(some)).scalar_one()


def hours(db: Connection, account_id: int, now: float, ahead: int) -> list[int]:
    """How many become due in each of so many hours ahead; those that are due already are in the first. At most
    `COUNTED` in all are looked at, the next first."""
    some = (
        _matching(select(calls.c.due_at), account_id, Filter())
        .where(calls.c.due_at < now + ahead * 3600)
        .order_by(calls.c.due_at)
        .limit(COUNTED)
        .subquery()
    )
    hour = func.floor((some.c.due_at - now) / 3600)
    found = [0] * ahead
    for place, number in db.execute(select(hour, func.count()).group_by(hour)):
        found[min(ahead - 1, max(0, int(place)))] += number
    return found


def numbers(db: Connection, account_id: int, wanted: Filter, most: int) -> Sequence[int]:
    """Api-calls of what waits, the next due first."""
    mine = _matching(select(calls.c.api_call_id), account_id, wanted)
    return db.execute(mine.order_by(calls.c.due_at, calls.c.id).limit(most)).scalars().all()


def _matching(mine: Select[Any], account_id: int, wanted: Filter) -> Select[Any]:
    # The state is written out: only so can SQLite see that the index of what waits holds them all.
    mine = mine.where(calls.c.account_id == account_id, text("calls.status = 'created'"))
    if wanted.waits_for is not None:
        mine = mine.where(calls.c.waits_for == wanted.waits_for)
    if wanted.phone:
        mine = mine.where(calls.c.phone == wanted.phone)
    return mine
