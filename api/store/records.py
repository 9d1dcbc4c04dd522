"""Records: the clips that an account keeps."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, insert, select

from api.store.schema import records

READY, MODERATION = "ready", "moderation"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of records. `content` is the SHA-256 under which the file lies; `token` is in the URL that serves it."""

    id: int
    account_id: int
    name: str
    status: str
    moderator_comment: str
    cost: Decimal
    record_text: str
    gender: int
    content: str
    token: str
    duration_ms: int
    created_at: float


def add(
    db: Connection, account_id: int, *, name: str, status: str, gender: int, content: str, duration_ms: int, now: float
) -> Record:
    """A new record of a file that lies in the store already."""
    row = {
        "account_id": account_id, "name": name, "status": status, "moderator_comment": "", "cost": Decimal(0),
        "record_text": "", "gender": gender, "content": content, "token": secrets.token_urlsafe(24),
        "duration_ms": duration_ms, "created_at": now,
    }  # fmt: skip
    number = db.execute(insert(records).values(row)).inserted_primary_key
    assert number is not None
    return Record(id=number[0], **row)  # type: ignore[arg-type]


def of(db: Connection, account_id: int, numbers: Collection[int] | None = None) -> list[Record]:
    """The account's records, all or those of these numbers, in order; others' are not there."""
    statement = select(records).where(records.c.account_id == account_id).order_by(records.c.id)
    if numbers is not None:
        statement = statement.where(records.c.id.in_(numbers))
    return [Record(*row) for row in db.execute(statement)]


def by_token(db: Connection, token: str) -> Record | None:
    """The record that the URL names."""
    row = db.execute(select(records).where(records.c.token == token)).one_or_none()
    return Record(*row) if row else None
