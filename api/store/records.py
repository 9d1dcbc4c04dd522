"""Records: the clips that an account keeps."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from api.store.schema import accounts, records

_IN_ONE_QUERY = 500


class RecordStatus(StrEnum):
    """`status` of a record in the contract."""

    READY = "ready"
    MODERATION = "moderation"
    REJECTED = "rejected"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of records. `content` is the SHA-256 under which the file lies; `token` is in the URL that serves it."""

    id: int
    account_id: int
    name: str
    status: str
    moderator_comment: str
    cost: Decimal
    record_text: str  # "" for a clip that came as a file
    gender: int
    language: str
    content: str
    token: str
    duration_ms: int
    created_at: float
    deleted_at: float | None


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A clip that lies in the store already, and what is to be said of it."""

    name: str
    content: str
    duration_ms: int
    gender: int = 0
    text: str = ""
    language: str = ""
    cost: Decimal = Decimal(0)


def add(db: Connection, account_id: int, new: NewRecord, status: RecordStatus, now: float) -> Record:
    """A new record."""
    row = {
        "account_id": account_id, "name": new.name, "status": status.value, "moderator_comment": "", "cost": new.cost,
        "record_text": new.text, "gender": new.gender, "language": new.language, "content": new.content,
        "token": secrets.token_urlsafe(24), "duration_ms": new.duration_ms, "created_at": now, "deleted_at": None,
    }  # fmt: skip
    number = db.execute(insert(records).values(row)).inserted_primary_key
    assert number is not None
    return Record(id=number[0], **row)  # type: ignore[arg-type]


def of(db: Connection, account_id: int, numbers: Collection[int] | None = None) -> list[Record]:
    """The account's records, all or those of these numbers, in order; others' are not there."""
    statement = select(records).where(records.c.account_id == account_id, records.c.deleted_at.is_(None))
    if numbers is not None:
        statement = statement.where(records.c.id.in_(numbers))
    return [Record(*row) for row in db.execute(statement.order_by(records.c.id))]


def files(db: Connection, numbers: Collection[int]) -> list[Record]:
    """Records by number, deleted ones too: a call that goes on plays what it was made with."""
    return [Record(*row) for row in db.execute(select(records).where(records.c.id.in_(numbers)))]


def spoken(db: Connection, account_id: int, text: str, gender: int, language: str) -> Record | None:
    """The account's record that was made of just this text."""
    same = select(records).where(
        records.c.account_id == account_id, records.c.record_text == text, records.c.gender == gender,
        records.c.language == language, records.c.status == RecordStatus.READY, records.c.deleted_at.is_(None),
    ).order_by(records.c.id).limit(1)  # fmt: skip
    row = db.execute(same).one_or_none()
    return Record(*row) if row else None


def by_token(db: Connection, token: str) -> Record | None:
    """The record that the URL names."""
    mine = select(records).where(records.c.token == token, records.c.deleted_at.is_(None))
    row = db.execute(mine).one_or_none()
    return Record(*row) if row else None


def delete(db: Connection, number: int, now: float) -> None:
    """Nobody sees the record any more."""
    db.execute(update(records).where(records.c.id == number).values(deleted_at=now))


def by_id(db: Connection, number: int) -> Record | None:
    """The record of that number, whoever has it; None if there is none, or it is deleted."""
    row = db.execute(select(records).where(records.c.id == number, records.c.deleted_at.is_(None))).one_or_none()
    return Record(*row) if row else None


def in_moderation(db: Connection, most: int | None = None) -> list[tuple[Record, str]]:
    """The records that wait for a moderator, in order, each with its account's name."""
    waiting = (
        select(records, accounts.c.name)
        .join(accounts, accounts.c.id == records.c.account_id)
        .where(records.c.status == RecordStatus.MODERATION, records.c.deleted_at.is_(None))
        .order_by(records.c.id)
        .limit(most)
    )
    return [(Record(*row[:-1]), row[-1]) for row in db.execute(waiting)]


def decide(db: Connection, number: int, status: RecordStatus, comment: str, *, waiting: bool = False) -> bool:
    """What a moderator says of a record; false if there is none; with `waiting`, none that still waits for one."""
    mine = update(records).where(records.c.id == number, records.c.deleted_at.is_(None))
    if waiting:
        mine = mine.where(records.c.status == RecordStatus.MODERATION)
    return db.execute(mine.values(status=status.value, moderator_comment=comment)).rowcount == 1


def accept_all(db: Connection, account_id: int) -> None:
    """The account has passed moderation, and with it what waited of its clips."""
    mine = update(records).where(records.c.account_id == account_id, records.c.status == RecordStatus.MODERATION)
    db.execute(mine.values(status=RecordStatus.READY.value))
