"""Replies that are given again to the same `Idempotency-Key`.

A reply is written in the transaction of what it tells of, so either both are there or neither: a client that asks
again after any crash gets the reply of the one time that it was done.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from api.store.schema import replays

KEPT_S = 24 * 3600


class Kept(NamedTuple):
    """A reply that was given, and the fingerprint of the request that it was given to."""

    fingerprint: str
    reply: str


class AlreadyGiven(Exception):
    """Another request with this key was faster; nothing of this one may be kept."""


def find(db: Connection, account_id: int, key: str, now: float) -> Kept | None:
    """The reply that this key stands for."""
    mine = select(replays.c.fingerprint, replays.c.reply).where(
        replays.c.account_id == account_id, replays.c.key == key, replays.c.created_at > now - KEPT_S
    )
    row = db.execute(mine).one_or_none()
    return Kept(*row) if row else None


def keep(db: Connection, account_id: int, key: str, kept: Kept, now: float) -> None:
    """Let the key stand for this reply from now on; raises AlreadyGiven."""
    old = replays.c.created_at <= now - KEPT_S
    db.execute(delete(replays).where(replays.c.account_id == account_id, replays.c.key == key, old))
    row = {
        "account_id": account_id, "key": key, "fingerprint": kept.fingerprint, "reply": kept.reply, "created_at": now,
    }  # fmt: skip
    try:
        db.execute(insert(replays).values(row))
    except IntegrityError as error:
        raise AlreadyGiven from error


def forget(db: Connection, now: float) -> None:
    """Replies that are older than they need to be."""
    db.execute(delete(replays).where(replays.c.created_at <= now - KEPT_S))
