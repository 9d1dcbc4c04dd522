"""Records: the clips that an account keeps."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Connection, func, insert, literal_column, select, update

from api.store.schema import accounts, api_calls, calls, plays, records, requests

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
    searched: str  # name and text, to be searched in


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


@dataclass(frozen=True, slots=True)
class Use:
    """A request that plays a record: when it was made, the first of its api-calls, and how many they are."""

    request_id: int
    created_at: float
    api_call_id: int
    callees: int


def add(db: Connection, account_id: int, new: NewRecord, status: RecordStatus, now: float) -> Record:
    """A new record."""
    row = {
        "account_id": account_id, "name": new.name, "status": status.value, "moderator_comment": "", "cost": new.cost,
        "record_text": new.text, "gender": new.gender, "language": new.language, "content": new.content,
        "token": secrets.token_urlsafe(24), "duration_ms": new.duration_ms, "created_at": now, "deleted_at": None,
        "searched": _folded(new.name, new.text),
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


def one(db: Connection, account_id: int, number: int) -> Record | None:
    """The account's record of that number."""
    found = of(db, account_id, [number])
    return found[0] if found else None


def page(db: Connection, account_id: int, search: str = "", before: int | None = None, most: int = 50) -> list[Record]:
    """The account's records whose name or text holds `search`, in whatever case; newest first, those below `before`."""
    mine = select(records).where(records.c.account_id == account_id, records.c.deleted_at.is_(None))
    if search.strip():
        mine = mine.where(records.c.searched.contains(search.strip().casefold(), autoescape=True))
    if before is not None:
        mine = mine.where(records.c.id < before)
    return [Record(*row) for row in db.execute(mine.order_by(records.c.id.desc()).limit(most))]


def rename(db: Connection, record: Record, name: str) -> None:
    """Call it otherwise."""
    values = {"name": name, "searched": _folded(name, record.record_text)}
    db.execute(update(records).where(records.c.id == record.id).values(values))


def planned(db: Connection, numbers: Collection[int]) -> dict[int, int]:
    """Record -> how many calls that wait play it; those that none needs are left out."""
    waiting = (
        select(plays.c.record_id, func.count())
        .join(calls, calls.c.request_id == plays.c.request_id)
        .where(plays.c.record_id.in_(numbers), calls.c.status == literal_column("'created'"))
        .group_by(plays.c.record_id)
    )
    return {row[0]: row[1] for row in db.execute(waiting)}


def requests_of(db: Connection, number: int, most: int = 20) -> list[Use]:
    """The requests that play a record, the latest first."""
    mine = (
        select(requests.c.id, requests.c.created_at, func.min(api_calls.c.id), func.count(api_calls.c.id))
        .join(api_calls, api_calls.c.request_id == requests.c.id)
        .where(requests.c.id.in_(
            select(plays.c.request_id).where(plays.c.record_id == number)
            .order_by(plays.c.request_id.desc()).limit(most)
        ))
        .group_by(requests.c.id, requests.c.created_at)
        .order_by(requests.c.id.desc())
    )  # fmt: skip
    return [Use(*row) for row in db.execute(mine)]


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


def _folded(name: str, text: str) -> str:
    return f"{name}\n{text}".casefold()
