"""The table of calls, newest first, page by page: a million rows are as quick as ten.

A row is one dialing. What many ask for (a number, a result, what goes on) has an index; the rest (outgoing number, tag,
label, the end of a number) is looked for among the next `LOOKED_AT` rows, and the page says how far it has looked: a
question that nothing matches must not read a million rows before it says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, String, cast, func, select, text

from api.store.schema import calls, requests

LOOKED_AT = 5_000
_NEAR = 2000
_SLACK_S = 60.0  # numbers are given when a row is written, times when its transaction began

WAITING, GOING_ON, OVER = "waiting", "going_on", "over"


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted; "" and None: anything. `search` holds digits: a phone, its end, or a number of an api-call."""

    state: str = ""
    disposition: str = ""
    phone: str = ""
    ending: str = ""
    number: int | None = None
    outgoing: str = ""
    tag: str = ""
    label: str = ""
    since: float | None = None
    until: float | None = None

    @property
    def looks(self) -> bool:
        """It has to look at rows that it does not show."""
        return bool(self.outgoing or self.tag or self.label or self.ending or self.state == OVER)


@dataclass(frozen=True, slots=True)
class Row:
    """A dialing, as the table shows it."""

    id: int
    api_call_id: int
    phone: str
    outgoing: str
    status: str
    waits_for: str
    due_at: float
    created_at: float
    updated_at: float
    answered_at: float | None
    finished_at: float | None
    disposition: str | None
    sip_code: int | None
    hangup_cause: int | None
    heard_ms: int
    answers: list[str]
    tags: list[str]
    manager: str | None
    manager_status: str | None
    cost: Decimal
    label: str
    timeout: float


class Page(NamedTuple):
    """Rows, newest first. `older` is the key to go on from; `looked_until` says down to which time was looked."""

    rows: list[Row]
    older: int | None
    newer: bool
    looked_until: float | None = None


def page(db: Connection, account_id: int, wanted: Filter, before: int | None, most: int) -> Page:
    """A page behind key `before` (None: the newest)."""
    matching = _matching(db, account_id, wanted)
    if before is not None:
        matching = matching.where(calls.c.id < before)
    near = matching.order_by(calls.c.id.desc())
    if wanted.looks:
        return _looked(db, near.limit(LOOKED_AT), wanted, before, most)
    rows = _rows(db, near.limit(most + 1))
    more = len(rows) > most
    return Page(rows[:most], rows[most - 1].id if more else None, before is not None)


def newer(db: Connection, account_id: int, wanted: Filter, after: int, most: int) -> int | None:
    """The key `before` of the page that is newer than the one that begins with `after`; None: it is the newest."""
    if wanted.looks:  # found by looking only downwards: the newest page is where to begin
        return None
    near = _matching(db, account_id, wanted).where(calls.c.id > after).order_by(calls.c.id).limit(most + 1)
    numbers = [row.id for row in db.execute(near.with_only_columns(calls.c.id))]
    return numbers[most] if len(numbers) > most else None


def every(database: Any, account_id: int, wanted: Filter, at_once: int = 1000) -> Iterator[list[Row]]:
    """All rows, in parts, each with a transaction of its own: whoever downloads slowly holds nothing."""
    before = None
    while True:
        with database.read() as db:
            part = page(db, account_id, wanted, before, at_once)
        if part.rows:
            yield part.rows
        if part.older is None:
            return
        before = part.older


def _looked(db: Connection, near: Select[Any], wanted: Filter, before: int | None, most: int) -> Page:
    window = near.subquery()
    here = select(window).limit(most + 1).order_by(window.c.id.desc())
    if wanted.state == OVER:
        here = here.where(window.c.finished_at.is_not(None))
    if wanted.outgoing:
        here = here.where(window.c.outgoing == wanted.outgoing)
    if wanted.ending:
        here = here.where(window.c.phone.like(f"%{wanted.ending}"))
    if wanted.tag:
        here = here.where(_holds(db, window.c.tags, json.dumps(wanted.tag)))
    if wanted.label:
        of_label = requests.c.options["label"].as_string() == wanted.label
        here = here.join(requests, requests.c.id == window.c.request_id).where(of_label)
    rows = _rows(db, here)
    if len(rows) > most:
        return Page(rows[:most], rows[most - 1].id, before is not None)
    last = db.execute(near.with_only_columns(calls.c.id, calls.c.created_at).offset(LOOKED_AT - 1)).first()
    if last is None:  # looked at all there are
        return Page(rows, None, before is not None)
    return Page(rows, last.id, before is not None, last.created_at)


def _holds(db: Connection, column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """The JSON text holds that string."""
    if db.dialect.name == "sqlite":
        return func.instr(cast(column, String), word) > 0
    return func.strpos(cast(column, String), word) > 0


def _matching(db: Connection, account_id: int, wanted: Filter) -> Select[Any]:
    mine = select(calls).where(calls.c.account_id == account_id)
    if wanted.number is not None:
        mine = mine.where(calls.c.api_call_id == wanted.number)
    if wanted.phone:
        mine = mine.where(calls.c.phone == wanted.phone)
    if wanted.disposition:
        mine = mine.where(calls.c.disposition == wanted.disposition)
    # Written out, not as parameters: only so can SQLite see that a partial index holds them all.
    if wanted.state == WAITING:
        mine = mine.where(text("calls.status = 'created'"))
    elif wanted.state == GOING_ON:
        mine = mine.where(text("calls.finished_at IS NULL AND calls.status <> 'created'"))
    if wanted.since is not None:
        first, _ = _around(db, wanted.since - _SLACK_S)
        mine = mine.where(calls.c.created_at >= wanted.since, calls.c.id >= first)
    if wanted.until is not None:
        _, last = _around(db, wanted.until + _SLACK_S)
        mine = mine.where(calls.c.created_at < wanted.until, calls.c.id <= last)
    return mine


def _around(db: Connection, at: float) -> tuple[int, int]:
    """Numbers between which the first one of that time lies: they grow with time, so it is found by halving."""
    low, high = 0, (db.execute(select(func.max(calls.c.id))).scalar_one() or 0) + 1
    while high - low > _NEAR:
        middle = (low + high) // 2
        near = select(calls.c.id, calls.c.created_at).where(calls.c.id >= middle).order_by(calls.c.id).limit(1)
        row = db.execute(near).first()
        if row is None or row.created_at >= at:
            high = middle
        else:
            low = row.id
    return low, high


def _rows(db: Connection, statement: Select[Any]) -> list[Row]:
    found = list(db.execute(statement))
    numbers = {row.request_id for row in found}
    options: dict[int, dict[str, Any]] = {}
    if numbers:
        label, timeout = requests.c.options["label"].as_string(), requests.c.options["timeout"].as_string()
        for number, name, rings in db.execute(select(requests.c.id, label, timeout).where(requests.c.id.in_(numbers))):
            options[number] = {"label": name or "", "timeout": float(rings or 0)}
    return [
        Row(
            row.id, row.api_call_id, row.phone, row.outgoing, row.status, row.waits_for, row.due_at, row.created_at,
            row.updated_at, row.answered_at, row.finished_at, row.disposition, row.sip_code, row.hangup_cause,
            row.heard_ms, row.answers, row.tags, row.manager, row.manager_status, row.cost, **options[row.request_id],
        )
        for row in found
    ]  # fmt: skip
