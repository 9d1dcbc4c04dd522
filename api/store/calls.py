"""Requests, their api-calls, and the calls of these: written by `create`, read by `get`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import JSON, Connection, bindparam, insert, literal, literal_column, null, or_, select, text, update

from api.store import bulk, lanes, money, recordings
from api.store.recordings import Recording
from api.store.schema import MONEY_SCALE, CallStatus, api_calls, calls, plays, records, requests
from api.window import Opening

_IN_ONE_QUERY = 500  # databases bound the number of parameters of a statement


@dataclass(frozen=True, slots=True)
class Request:
    """What a `create` asked for. `options` are its fields as they are told back; see `api.create`."""

    id: int
    account_id: int
    options: dict[str, Any]
    script: dict[str, Any]
    menu: dict[str, dict[str, Any]]
    template_id: int | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Call:
    """One dialing."""

    id: int
    request_id: int
    api_call_id: int
    account_id: int
    phone: str
    outgoing: str
    status: str
    waits_for: str
    due_at: float
    closes_at: float | None
    owner: str | None
    trunk: str | None
    invited_at: float | None
    started_at: float | None
    answered_at: float | None
    finished_at: float | None
    created_at: float
    updated_at: float
    disposition: str | None
    sip_code: int | None
    hangup_cause: int | None
    heard_ms: int
    answers: list[str]
    path: list[str]
    tags: list[str]
    to_block: int
    manager: str | None
    manager_started_at: float | None
    manager_answered_at: float | None
    manager_status: str | None
    held: Decimal
    cost: Decimal
    recording: Recording | None = None


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One callee of a request, with its dialings in order."""

    id: int
    account_id: int
    phone: str
    outgoing: str
    price: Decimal  # of a started step
    webhook_try: int
    webhook_sent: int
    created_at: float
    request: Request
    calls: list[Call] = field(default_factory=list)


class Callee(NamedTuple):
    """Whom to call, from which number, and what a started step costs."""

    phone: str
    outgoing: str
    price: Decimal


class Order(NamedTuple):
    """What a `create` asks for, whoever the callees are. `options` are its fields as they are told back."""

    options: dict[str, Any]
    script: dict[str, Any]
    menu: dict[str, dict[str, Any]]
    template_id: int | None = None


_CALLEES = {  # all callees in one statement: they come as JSON, [[phone, outgoing, price], ...]
    "sqlite": text("""
        INSERT INTO api_calls (request_id, account_id, phone, outgoing, price, webhook_try, webhook_sent, created_at)
        SELECT :request, :account, json_extract(value, '$[0]'), json_extract(value, '$[1]'),
               json_extract(value, '$[2]'), 0, 0, :now
        FROM json_each(:callees) ORDER BY key"""),
    "postgresql": text("""
        INSERT INTO api_calls (request_id, account_id, phone, outgoing, price, webhook_try, webhook_sent, created_at)
        SELECT :request, :account, value->>0, value->>1, CAST(value->>2 AS bigint), 0, 0, :now
        FROM json_array_elements(CAST(:callees AS json)) WITH ORDINALITY AS given (value, place) ORDER BY place"""),
}


def place(
    db: Connection, account_id: int, callees: Sequence[Callee], order: Order, due: Opening, waits_for: str, now: float
) -> list[int]:
    """Queue a request; the numbers of its api-calls, in the callees' order. Thousands take as many statements as one.

    The price of a first step is held for each; raises money.NotEnough.
    """
    money.hold(db, account_id, sum((callee.price for callee in callees), Decimal(0)))
    request = {
        "account_id": account_id, "options": order.options, "script": order.script, "menu": order.menu,
        "template_id": order.template_id, "created_at": now,
    }  # fmt: skip
    key = db.execute(insert(requests).values(request)).inserted_primary_key
    assert key is not None
    played = {int(note["record"]) for note in order.menu.values() if note["record"]}
    if played:
        db.execute(insert(plays), [{"record_id": record, "request_id": key[0]} for record in sorted(played)])
    given = [(callee.phone, callee.outgoing, int(callee.price * MONEY_SCALE)) for callee in callees]
    db.execute(
        _CALLEES[db.dialect.name],
        {"request": key[0], "account": account_id, "callees": json.dumps(given), "now": now},
    )
    row = {
        **{name: api_calls.c[name] for name in ("request_id", "account_id", "phone", "outgoing")},
        "api_call_id": api_calls.c.id,
        "held": api_calls.c.price,
        **{name: literal(value) for name, value in _OF_NEW.items()},
        **{name: literal([], JSON) for name in ("answers", "path", "tags")},
        "waits_for": literal(waits_for),
        "due_at": literal(due.opens_at),
        "closes_at": null() if due.closes_at is None else literal(due.closes_at),
        "created_at": literal(now),
        "updated_at": literal(now),
    }
    mine = select(*row.values()).where(api_calls.c.request_id == key[0]).order_by(api_calls.c.id)
    db.execute(insert(calls).from_select(list(row), mine))
    lanes.bring_forward(db, account_id, dict.fromkeys((callee.outgoing for callee in callees), due.opens_at), now)
    # Numbers are given in the order of insertion, and this transaction alone inserts for this request.
    return [number for (number,) in bulk.rows(db, _NUMBERS, request=key[0])]


_OF_NEW = {"status": CallStatus.CREATED.value, "heard_ms": 0, "to_block": 0, "cost": 0}


def place_again(db: Connection, kept: ApiCall, due: Opening, now: float) -> None:
    """A callee is called again: one more dialing of the same api-call, for which the price of a step is held anew.

    Raises money.NotEnough.
    """
    money.hold(db, kept.account_id, kept.price)
    row = {
        "request_id": kept.request.id, "api_call_id": kept.id, "account_id": kept.account_id, "phone": kept.phone,
        "outgoing": kept.outgoing, "status": CallStatus.CREATED, "waits_for": "redial", "due_at": due.opens_at,
        "closes_at": due.closes_at, "held": kept.price, "created_at": now, "updated_at": now, "heard_ms": 0,
        "answers": [], "path": [], "tags": [], "to_block": 0, "cost": Decimal(0),
    }  # fmt: skip
    db.execute(insert(calls).values(row))
    lanes.bring_forward(db, kept.account_id, {kept.outgoing: due.opens_at}, now)


def get(db: Connection, account_id: int, numbers: Iterable[int]) -> list[ApiCall]:
    """The account's api-calls of these numbers, in the order asked for; others' are left out."""
    asked = list(dict.fromkeys(numbers))
    found: dict[int, ApiCall] = {}
    known: dict[int, Request] = {}
    for part in _parts(asked):
        found |= _load(db, account_id, part, known)
    return [found[number] for number in asked if number in found]


def one(db: Connection, account_id: int, number: int) -> ApiCall | None:
    """One api-call of the account."""
    return _load(db, account_id, [number], {}).get(number)


class State(NamedTuple):
    """How a dialing stands."""

    id: int
    status: str
    waits_for: str
    due_at: float
    owner: str | None


def states(db: Connection, account_id: int, number: int) -> list[State]:
    """The dialings of one of the account's api-calls, in order; none of another's."""
    mine = select(calls.c.id, calls.c.status, calls.c.waits_for, calls.c.due_at, calls.c.owner)
    mine = mine.where(calls.c.api_call_id == number, calls.c.account_id == account_id)
    return [State(*row) for row in db.execute(mine.order_by(calls.c.id))]


def request(db: Connection, number: int) -> Request:
    """The request of that number."""
    return Request(*db.execute(select(requests).where(requests.c.id == number)).one())


def remove(
    db: Connection, account_id: int, numbers: Sequence[int], now: float, *, of_templates: bool = False
) -> list[ApiCall]:
    """Cancel what has not begun of these api-calls; those that were cancelled."""
    cancelled: list[int] = []
    held = Decimal(0)
    for part in _parts(sorted(set(numbers))):  # in one order, so that two who remove do not wait for each other
        waiting = select(calls.c.id, calls.c.api_call_id, calls.c.held).where(
            calls.c.account_id == account_id, calls.c.api_call_id.in_(part),
            calls.c.invited_at.is_(None), calls.c.finished_at.is_(None),
        ).order_by(calls.c.id).with_for_update()  # fmt: skip
        if of_templates:
            from_templates = select(requests.c.id).where(requests.c.template_id.is_not(None))
            waiting = waiting.where(calls.c.request_id.in_(from_templates))
        rows = db.execute(waiting).all()
        # A node that has claimed it already finds its fence closed.
        db.execute(
            update(calls).where(calls.c.id.in_([row.id for row in rows])),
            {
                "status": CallStatus.CANCELED, "disposition": "cancelled", "hangup_cause": 16, "owner": None,
                "finished_at": now, "updated_at": now,
            },
        )  # fmt: skip
        held += sum((row.held for row in rows), Decimal(0))
        cancelled += [row.api_call_id for row in rows]
    money.release(db, account_id, held)  # last: whoever has the account waits for no call
    kept = set(cancelled)
    return get(db, account_id, [number for number in numbers if number in kept])


def need_record(db: Connection, account_id: int, record_id: int) -> bool:
    """Whether a call that waits or goes on plays this record."""
    playing = select(plays.c.request_id).where(plays.c.record_id == record_id)
    mine = select(literal(1)).where(calls.c.account_id == account_id, calls.c.request_id.in_(playing))
    waits = mine.where(calls.c.status == literal_column("'created'")).exists()  # written out: the index is partial
    goes_on = mine.where(calls.c.owner.is_not(None)).exists()
    return bool(db.execute(select(or_(waits, goes_on))).scalar_one())


def all_ready(db: Connection, request: Request) -> bool:
    """Whether every clip of the request may be played still: none is in moderation or rejected."""
    used = {int(note["record"]) for note in request.menu.values() if note["record"]}
    ready = select(records.c.id).where(records.c.id.in_(used), records.c.status == "ready")
    return len(db.execute(ready).all()) == len(used)


_NUMBERS = select(api_calls.c.id).where(api_calls.c.request_id == bindparam("request")).order_by(api_calls.c.id)
_API_CALLS = select(
    api_calls.c.request_id, api_calls.c.id, api_calls.c.account_id, api_calls.c.phone, api_calls.c.outgoing,
    api_calls.c.price, api_calls.c.webhook_try, api_calls.c.webhook_sent, api_calls.c.created_at,
).where(
    api_calls.c.id.in_(bindparam("numbers", expanding=True)), api_calls.c.account_id == bindparam("account")
)  # fmt: skip
_CALLS = select(calls).where(calls.c.api_call_id.in_(bindparam("numbers", expanding=True))).order_by(calls.c.id)


def _load(db: Connection, account_id: int, numbers: Sequence[int], known: dict[int, Request]) -> dict[int, ApiCall]:
    rows = bulk.rows(db, _API_CALLS, numbers=list(numbers), account=account_id)
    missing = {request_id for request_id, *_ in rows} - known.keys()
    if missing:
        for asked in db.execute(select(requests).where(requests.c.id.in_(missing))):
            known[asked.id] = Request(*asked)
    found = {
        number: ApiCall(number, account, phone, outgoing, price, webhook_try, webhook_sent, at, known[request_id])
        for request_id, number, account, phone, outgoing, price, webhook_try, webhook_sent, at in rows
    }
    dialings = [Call(*row) for row in bulk.rows(db, _CALLS, numbers=list(found))]
    recorded = [
        one.id for one in dialings
        if one.answered_at and found[one.api_call_id].request.options.get("needRecording")
    ]  # fmt: skip
    sounds = recordings.of_calls(db, recorded) if recorded else {}
    for dialing in dialings:
        sound = sounds.get(dialing.id)
        found[dialing.api_call_id].calls.append(replace(dialing, recording=sound) if sound else dialing)
    return found


def _parts(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[start : start + _IN_ONE_QUERY] for start in range(0, len(numbers), _IN_ONE_QUERY))
