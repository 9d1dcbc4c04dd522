"""What waits in the queue, in the order in which it is due, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select, text, tuple_

from api.store.schema import calls, requests
from api.store.windows import PLAN, REDIAL, TURN, WINDOW

REASONS = (TURN, PLAN, WINDOW, REDIAL)

COUNTED = 20_000  # of what waits; beyond, "more than"


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


_COLUMNS = (
    calls.c.id, calls.c.api_call_id, calls.c.phone, calls.c.outgoing, calls.c.waits_for, calls.c.due_at,
    calls.c.closes_at, calls.c.created_at, calls.c.request_id,
)  # fmt: skip


class Page(NamedTuple):
    """Rows by due time. `after` is the key of the last one, where there are more."""

    rows: list[Plan]
    after: tuple[float, int] | None


def page(db: Connection, account_id: int, wanted: Filter, after: tuple[float, int] | None, most: int) -> Page:
    """A page behind that key."""
    rows: list[Any] = []
    # Of each reason the next ones, then the next of these: one index serves all questions.
    for reason in REASONS if wanted.waits_for is None else (wanted.waits_for,):
        mine = _matching(select(*_COLUMNS), account_id, replace(wanted, waits_for=reason))
        if after is not None:
            mine = mine.where(tuple_(calls.c.due_at, calls.c.id) > tuple_(*after))
        rows += db.execute(mine.order_by(calls.c.due_at, calls.c.id).limit(most + 1))
    rows.sort(key=lambda row: (row.due_at, row.id))
    label = requests.c.options["label"].as_string()
    asked = {row.request_id for row in rows[:most]}
    named = select(requests.c.id, label.label("label")).where(requests.c.id.in_(asked))
    labels = {row.id: row.label for row in db.execute(named)}
    plans = [
        Plan(
            row.id, row.api_call_id, row.phone, row.outgoing, row.waits_for, row.due_at, row.closes_at, row.created_at,
            labels.get(row.request_id) or "",
        )
        for row in rows[:most]
    ]  # fmt: skip
    return Page(plans, (plans[-1].due_at, plans[-1].id) if len(rows) > most else None)


def count(db: Connection, account_id: int, wanted: Filter) -> int:
    """How many wait; `COUNTED` stands for that many or more."""
    some = _matching(select(calls.c.id), account_id, wanted).limit(COUNTED).subquery()
    return db.execute(select(func.count()).select_from(some)).scalar_one()


def hours(db: Connection, account_id: int, now: float, ahead: int) -> list[int]:
    """How many become due in each of so many hours ahead; those that are due already are in the first. Of more than
    `COUNTED` only so many are looked at."""
    until = now + ahead * 3600
    some = _matching(select(calls.c.due_at), account_id, Filter()).where(
        calls.c.waits_for.in_(REASONS), calls.c.due_at < until
    ).limit(COUNTED).subquery()  # fmt: skip
    hour = func.floor((some.c.due_at - now) / 3600)
    found = [0] * ahead
    for place, number in db.execute(select(hour, func.count()).group_by(hour)):
        found[min(ahead - 1, max(0, int(place)))] += number
    return found


def numbers(db: Connection, account_id: int, wanted: Filter, most: int) -> Sequence[int]:
    """Some api-calls of what waits."""
    return db.execute(_matching(select(calls.c.api_call_id), account_id, wanted).limit(most)).scalars().all()


def _matching(mine: Select[Any], account_id: int, wanted: Filter) -> Select[Any]:
    # The state is written out: only so can SQLite see that the index of what waits holds them all.
    mine = mine.where(calls.c.account_id == account_id, text("calls.status = 'created'"))
    if wanted.waits_for is not None:
        mine = mine.where(calls.c.waits_for == wanted.waits_for)
    if wanted.phone:
        mine = mine.where(calls.c.phone == wanted.phone)
    return mine
