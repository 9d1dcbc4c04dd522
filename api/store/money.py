"""Money: each account's balance, the part of it that is held for calls, and the ledger of every change.

balance   what is there; it changes only together with a line of the ledger, which tells the balance after it
held      the part that calls may cost which wait or go on: the sum of `held` of the account's calls that are not over
balance - held is never below zero, so that no call costs what is not there
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, insert, select, type_coerce, update

from api.store.schema import Money, accounts, calls, ledger, records

# Said to be money: of a difference SQLAlchemy does not know that, and would compare with an amount unscaled.
_free = type_coerce(accounts.c.balance - accounts.c.held, Money)
CREDIT, CALL, CLIP = "credit", "call", "clip"
_NEAR = 1000


class NotEnough(Exception):
    """The account has not so much that is free."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger."""

    id: int
    account_id: int
    kind: str
    amount: Decimal
    balance: Decimal
    call_id: int | None
    record_id: int | None
    comment: str
    created_at: float


def credit(db: Connection, account_id: int, amount: Decimal, comment: str, now: float) -> Line:
    """Give an account money, or take some back (below zero); NotEnough if that is spent or held."""
    return _change(db, account_id, CREDIT, amount, comment=comment, now=now)


def charge_clip(db: Connection, account_id: int, price: Decimal, record_id: int, now: float) -> None:
    """A clip was made from text; NotEnough."""
    if price:
        _change(db, account_id, CLIP, -price, record_id=record_id, now=now)


def charge_call(db: Connection, account_id: int, cost: Decimal, call_id: int, now: float) -> None:
    """A call is over; what was held for it must have been let go before, and suffices."""
    if cost:
        _change(db, account_id, CALL, -cost, call_id=call_id, now=now)


def hold(db: Connection, account_id: int, amount: Decimal) -> None:
    """Hold so much for calls; NotEnough."""
    if not amount:
        return
    mine = update(accounts).where(accounts.c.id == account_id, _free >= amount)
    if db.execute(mine.values(held=accounts.c.held + amount)).rowcount != 1:
        raise NotEnough


def release(db: Connection, account_id: int, amount: Decimal) -> None:
    """What was held is free again."""
    if amount:
        db.execute(update(accounts).where(accounts.c.id == account_id).values(held=accounts.c.held - amount))


def free(db: Connection, account_id: int) -> Decimal:
    """What is there and not held; the account's row stays locked until the transaction ends."""
    return Decimal(db.execute(select(_free).where(accounts.c.id == account_id).with_for_update()).scalar_one())


def lines(db: Connection, account_id: int, most: int = 1000) -> list[Line]:
    """The newest lines of an account's ledger, newest first."""
    mine = select(ledger).where(ledger.c.account_id == account_id).order_by(ledger.c.id.desc()).limit(most)
    return [Line(*row) for row in db.execute(mine)]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are looked at: of a kind ("" is any), of days (Unix seconds, up to but not including `until`)."""

    kind: str = ""
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger, and what it was for."""

    line: Line
    api_call_id: int | None
    phone: str | None
    record_name: str | None


def page(db: Connection, account_id: int, which: Filter, before: int | None, most: int) -> list[Entry]:
    """The lines before number `before`, newest first."""
    mine = (
        select(ledger, calls.c.api_call_id, calls.c.phone, records.c.name)
        .outerjoin(calls, calls.c.id == ledger.c.call_id)
        .outerjoin(records, records.c.id == ledger.c.record_id)
        .where(ledger.c.account_id == account_id)
    )
    if before is not None:
        mine = mine.where(ledger.c.id < before)
    if which.kind:
        mine = mine.where(ledger.c.kind == which.kind)
    # The days become numbers of lines first: so the index that is in the order of the page serves them too.
    if which.since is not None:
        first = _edge(db, account_id, which.since, newer=True)
        mine = mine.where(ledger.c.id >= first, ledger.c.created_at >= which.since)
    if which.until is not None:
        last = _edge(db, account_id, which.until, newer=False)
        mine = mine.where(ledger.c.id <= last, ledger.c.created_at < which.until)
    columns = len(ledger.c)
    found = db.execute(mine.order_by(ledger.c.id.desc()).limit(most))
    return [Entry(Line(*row[:columns]), *row[columns:]) for row in found]


def _edge(db: Connection, account_id: int, at: float, *, newer: bool) -> int:
    """A number that no line since that time is below (above, of lines before it).

    Two lines that were written at once may be numbered against their times: the next thousand are looked at.
    """
    mine = select(ledger.c.id).where(ledger.c.account_id == account_id)
    if newer:
        near = mine.where(ledger.c.created_at >= at).order_by(ledger.c.created_at).limit(_NEAR).subquery()
        return db.execute(select(func.min(near.c.id))).scalar_one() or 0
    near = mine.where(ledger.c.created_at < at).order_by(ledger.c.created_at.desc()).limit(_NEAR).subquery()
    return db.execute(select(func.max(near.c.id))).scalar_one() or 0


def _change(
    db: Connection,
    account_id: int,
    kind: str,
    amount: Decimal,
    *,
    call_id: int | None = None,
    record_id: int | None = None,
    comment: str = "",
    now: float,
) -> Line:
    mine = update(accounts).where(accounts.c.id == account_id)
    if amount < 0:
        mine = mine.where(_free >= -amount)
    changed = mine.values(balance=accounts.c.balance + amount).returning(accounts.c.balance)
    balance = db.execute(changed).scalar_one_or_none()
    if balance is None:
        raise NotEnough
    row = {
        "account_id": account_id, "kind": kind, "amount": amount, "balance": balance, "call_id": call_id,
        "record_id": record_id, "comment": comment, "created_at": now,
    }  # fmt: skip
    number = db.execute(insert(ledger).values(row)).inserted_primary_key
    assert number is not None
    return Line(id=number[0], **row)
