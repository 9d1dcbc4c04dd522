"""Requests that were sent from the emulator: the history of an account. No key is ever in it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from api.store.schema import api_calls, sent

KEPT = 300  # of an account, the latest
MOST_REPLY = 50_000  # characters; a longer reply is kept as far as that


class Exchange(NamedTuple):
    """A request and its reply. `body` is JSON text, `status` HTTP's."""

    method: str
    body: str
    status: int
    reply: str
    took_ms: int
    at: float


class Sent(NamedTuple):
    """An exchange with its number."""

    id: int
    exchange: Exchange


def keep(db: Connection, account_id: int, exchange: Exchange) -> None:
    """Add to the history; what is older than the latest `KEPT` goes."""
    row = exchange._replace(reply=exchange.reply[:MOST_REPLY])._asdict()
    db.execute(insert(sent).values(account_id=account_id, **row))
    mine = select(sent.c.id).where(sent.c.account_id == account_id).order_by(sent.c.id.desc())
    oldest = db.execute(mine.offset(KEPT).limit(1)).scalar_one_or_none()
    if oldest is not None:
        db.execute(delete(sent).where(sent.c.account_id == account_id, sent.c.id <= oldest))


def of(db: Connection, account_id: int, before: int | None, most: int) -> list[Sent]:
    """The latest first; `before` the number that the page before ended with."""
    mine = select(sent.c.id, *(sent.c[name] for name in Exchange._fields)).where(sent.c.account_id == account_id)
    if before is not None:
        mine = mine.where(sent.c.id < before)
    rows = db.execute(mine.order_by(sent.c.id.desc()).limit(most))
    return [Sent(row[0], Exchange(*row[1:])) for row in rows]


def clear(db: Connection, account_id: int) -> None:
    """Forget all of it."""
    db.execute(delete(sent).where(sent.c.account_id == account_id))


def last_calls(db: Connection, account_id: int, most: int) -> list[tuple[int, str, float]]:
    """The latest api-calls to ask about: number, callee, when it was created."""
    mine = select(api_calls.c.id, api_calls.c.phone, api_calls.c.created_at).where(api_calls.c.account_id == account_id)
    return [(row[0], row[1], row[2]) for row in db.execute(mine.order_by(api_calls.c.id.desc()).limit(most))]
