"""Requests, their api-calls, and the calls of these: written by `create`, read by `get`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from api.store.schema import CallStatus, accounts, api_calls, calls, requests, stop_list

_IN_ONE_QUERY = 500  # databases bound the number of parameters of a statement


@dataclass(frozen=True, slots=True)
class Request:
    """What a `create` asked for. `options` are its fields as they are told back; see `api.create`."""

    id: int
    account_id: int
    options: dict[str, Any]
    script: dict[str, Any]
    menu: dict[str, dict[str, Any]]
    created_at: float


@dataclass(frozen=True, slots=True)
class Call:
    """One dialing."""

    id: int
    api_call_id: int
    account_id: int
    phone: str
    outgoing: str
    status: str
    due_at: float
    owner: str | None
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
    cost: Decimal


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One callee of a request, with its dialings in order."""

    id: int
    account_id: int
    phone: str
    webhook_try: int
    webhook_sent: int
    created_at: float
    request: Request
    calls: list[Call] = field(default_factory=list)


class Callee(NamedTuple):
    """Whom to call, and from which number."""

    phone: str
    outgoing: str


def place(
    db: Connection,
    account_id: int,
    callees: Sequence[Callee],
    *,
    options: dict[str, Any],
    script: dict[str, Any],
    menu: dict[str, dict[str, Any]],
    due_at: float,
    now: float,
) -> list[int]:
    """Queue a request; the numbers of its api-calls, in the callees' order. Three statements, however many they are."""
    request = {"account_id": account_id, "options": options, "script": script, "menu": menu, "created_at": now}
    key = db.execute(insert(requests).values(request)).inserted_primary_key
    assert key is not None
    rows = [
        {"request_id": key[0], "account_id": account_id, "phone": callee.phone, "created_at": now} for callee in callees
    ]
    db.execute(insert(api_calls), rows)
    # Numbers are given in the order of insertion, and this transaction alone inserts for this request.
    numbers = db.execute(
        select(api_calls.c.id).where(api_calls.c.request_id == key[0]).order_by(api_calls.c.id)
    ).scalars()
    numbered = list(numbers)
    db.execute(
        insert(calls),
        [
            {
                "api_call_id": number, "account_id": account_id, "phone": callee.phone, "outgoing": callee.outgoing,
                "status": CallStatus.CREATED, "due_at": due_at, "created_at": now, "updated_at": now,
            }
            for number, callee in zip(numbered, callees, strict=True)
        ],
    )  # fmt: skip
    return numbered


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


def request(db: Connection, number: int) -> Request:
    """The request of that number."""
    return Request(*db.execute(select(requests).where(requests.c.id == number)).one())


def money_left(db: Connection, account_id: int, price: Decimal) -> Decimal:
    """The balance less `price` for each call that is not over."""
    waiting = select(func.count()).select_from(calls)
    waiting = waiting.where(calls.c.account_id == account_id, calls.c.finished_at.is_(None))
    # Who asks next waits until this transaction's calls are there to be counted.
    kept = select(accounts.c.balance).where(accounts.c.id == account_id).with_for_update(key_share=True)
    balance = db.execute(kept).scalar_one()
    return Decimal(balance) - price * db.execute(waiting).scalar_one()


def stopped(db: Connection, account_id: int, phones: Collection[str]) -> set[str]:
    """Which of these numbers are on the account's stop list."""
    of_account = select(stop_list.c.phone).where(stop_list.c.account_id == account_id)
    if len(phones) <= _IN_ONE_QUERY:
        of_account = of_account.where(stop_list.c.phone.in_(phones))
    return set(db.execute(of_account).scalars()) & set(phones)


def remove(db: Connection, account_id: int, numbers: Iterable[int], now: float) -> list[ApiCall]:
    """Cancel what has not begun of these api-calls; those that were cancelled."""
    cancelled: list[int] = []
    for part in _parts(list(dict.fromkeys(numbers))):
        waiting = select(calls.c.id, calls.c.api_call_id).where(
            calls.c.account_id == account_id, calls.c.api_call_id.in_(part),
            calls.c.invited_at.is_(None), calls.c.finished_at.is_(None),
        ).order_by(calls.c.id).with_for_update()  # fmt: skip
        rows = db.execute(waiting).all()
        # A node that has claimed it already finds its fence closed.
        db.execute(
            update(calls).where(calls.c.id.in_([row.id for row in rows])),
            {
                "status": CallStatus.CANCELED, "disposition": "cancelled", "hangup_cause": 16, "owner": None,
                "finished_at": now, "updated_at": now,
            },
        )  # fmt: skip
        cancelled += [row.api_call_id for row in rows]
    return get(db, account_id, cancelled)


def _load(db: Connection, account_id: int, numbers: Sequence[int], known: dict[int, Request]) -> dict[int, ApiCall]:
    mine = select(api_calls).where(api_calls.c.id.in_(numbers), api_calls.c.account_id == account_id)
    rows = db.execute(mine).all()
    missing = {row.request_id for row in rows} - known.keys()
    if missing:
        for row in db.execute(select(requests).where(requests.c.id.in_(missing))):
            known[row.id] = Request(*row)
    found = {
        row.id: ApiCall(
            row.id, row.account_id, row.phone, row.webhook_try, row.webhook_sent, row.created_at,
            known[row.request_id],
        )
        for row in rows
    }  # fmt: skip
    for row in db.execute(select(calls).where(calls.c.api_call_id.in_(found)).order_by(calls.c.id)):
        found[row.api_call_id].calls.append(Call(*row))
    return found


def _parts(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[start : start + _IN_ONE_QUERY] for start in range(0, len(numbers), _IN_ONE_QUERY))
