"""Receivers to try webhooks against: each account's own address, what it answers, and the latest that came to it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.store.schema import accounts, caught, receivers

KEPT = 100  # of each account
OK = 200


@dataclass(frozen=True, slots=True)
class Receiver:
    """An address of the account, and how it answers."""

    account_id: int
    token: str  # in the address
    status: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Came:
    """A request as it came."""

    at: float
    method: str
    query: str
    headers: Sequence[Sequence[str]]  # pairs of name and value
    body: str
    signature: str  # right, wrong, stale, none
    status: int  # what it was answered with


@dataclass(frozen=True, slots=True)
class Caught:
    """A request that is kept."""

    id: int
    came: Came


def of_account(db: Connection, account_id: int) -> Receiver:
    """The account's receiver; made where there is none yet."""
    make = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    row = {"account_id": account_id, "token": secrets.token_urlsafe(24), "status": OK, "delay_ms": 0}
    db.execute(make(receivers).values(row).on_conflict_do_nothing())
    return Receiver(*db.execute(select(receivers).where(receivers.c.account_id == account_id)).one())


def find(db: Connection, account_id: int) -> Receiver | None:
    """The account's receiver, if it has one."""
    row = db.execute(select(receivers).where(receivers.c.account_id == account_id)).one_or_none()
    return Receiver(*row) if row else None


def by_token(db: Connection, token: str) -> tuple[Receiver, str] | None:
    """The receiver at that address, and the secret that its account's webhooks are signed with."""
    mine = select(receivers, accounts.c.webhook_secret).join(accounts, accounts.c.id == receivers.c.account_id)
    row = db.execute(mine.where(receivers.c.token == token)).one_or_none()
    return (Receiver(*row[:4]), row[4]) if row else None


def answer_so(db: Connection, account_id: int, status: int, delay_ms: int) -> None:
    """From now on it answers with that code, after so long."""
    mine = update(receivers).where(receivers.c.account_id == account_id)
    db.execute(mine.values(status=status, delay_ms=delay_ms))


def turn(db: Connection, account_id: int) -> None:
    """A new address; what comes to the old one is lost."""
    mine = update(receivers).where(receivers.c.account_id == account_id)
    db.execute(mine.values(token=secrets.token_urlsafe(24)))


def catch(db: Connection, account_id: int, came: Came) -> None:
    """Keep a request; the oldest above `KEPT` fall away."""
    row = {
        "account_id": account_id, "at": came.at, "method": came.method, "query": came.query,
        "headers": [list(pair) for pair in came.headers], "body": came.body, "signature": came.signature,
        "status": came.status,
    }  # fmt: skip
    db.execute(insert(caught).values(row))
    mine = select(caught.c.id).where(caught.c.account_id == account_id).order_by(caught.c.id.desc())
    last = db.execute(mine.offset(KEPT - 1).limit(1)).scalar_one_or_none()
    if last is not None:
        db.execute(delete(caught).where(caught.c.account_id == account_id, caught.c.id < last))


def latest(db: Connection, account_id: int) -> list[Caught]:
    """What came, newest first."""
    mine = select(caught).where(caught.c.account_id == account_id).order_by(caught.c.id.desc()).limit(KEPT)
    return [
        Caught(row.id, Came(row.at, row.method, row.query, row.headers, row.body, row.signature, row.status))
        for row in db.execute(mine)
    ]


def newest(db: Connection, account_id: int) -> int:
    """The number of the last that came; 0 where nothing did."""
    mine = select(func.max(caught.c.id)).where(caught.c.account_id == account_id)
    return db.execute(mine).scalar_one() or 0


def forget(db: Connection, account_id: int) -> None:
    """Nothing that came is kept."""
    db.execute(delete(caught).where(caught.c.account_id == account_id))
