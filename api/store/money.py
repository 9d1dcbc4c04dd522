"""Money: each account's balance, the part of it that is held for calls, and the ledger of every change.

balance   what is there; it changes only together with a line of the ledger, which tells the balance after it
held      the part that calls may cost which wait or go on: the sum of `held` of the account's calls that are not over
balance - held is never below zero, so that no call costs what is not there
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, insert, select, type_coerce, update

from api.store.schema import Money, accounts, ledger

# Said to be money: of a difference SQLAlchemy does not know that, and would compare with an amount unscaled.
_free = type_coerce(accounts.c.balance - accounts.c.held, Money)
CREDIT, CALL, CLIP = "credit", "call", "clip"


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
