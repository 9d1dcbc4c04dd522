"""Recordings of calls: which file has the sound of which dialing, and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from api.store import bulk
from api.store.schema import calls, recordings

SAVED, INCOMPLETE, FAILED = "saved", "incomplete", "failed"


@dataclass(frozen=True, slots=True)
class Recording:
    """One row. `token` is in the URL that serves it; `why` says what is missing of one that is not `saved`."""

    call_id: int
    token: str
    file: str  # its name in the folder of recordings
    state: str  # saved, incomplete, failed
    why: str
    began_at: float
    duration_ms: int
    bytes: int
    created_at: float
    deleted_at: float | None

    @property
    def there(self) -> bool:
        """It can be heard."""
        return self.state != FAILED and self.deleted_at is None


class NewRecording(NamedTuple):
    """What is told of a recording at the end of its dialing."""

    file: str
    state: str
    why: str
    began_at: float
    duration_ms: int
    bytes: int


class Expired(NamedTuple):
    """One that was kept long enough."""

    call_id: int
    file: str


def add(db: Connection, call_id: int, new: NewRecording, now: float) -> None:
    """The recording of that dialing; nobody guesses its token."""
    row = {**new._asdict(), "call_id": call_id, "token": secrets.token_urlsafe(24), "created_at": now}
    db.execute(insert(recordings).values(row))


def of_calls(db: Connection, call_ids: Sequence[int]) -> dict[int, Recording]:
    """The recordings of these dialings, by dialing."""
    found = (Recording(*row) for row in bulk.rows(db, _OF_CALLS, numbers=list(call_ids)))
    return {kept.call_id: kept for kept in found}


def by_token(db: Connection, token: str) -> Recording | None:
    """The one whose URL has this token."""
    row = db.execute(select(recordings).where(recordings.c.token == token)).one_or_none()
    return None if row is None else Recording(*row)


def of_account(db: Connection, account_id: int, api_call_id: int, call_id: int) -> Recording | None:
    """The recording of a dialing, if that is the account's."""
    mine = calls.c.account_id == account_id, calls.c.api_call_id == api_call_id, calls.c.id == call_id
    found = select(recordings).join(calls, calls.c.id == recordings.c.call_id).where(*mine)
    row = db.execute(found).one_or_none()
    return None if row is None else Recording(*row)


def expired(db: Connection, before: float, most: int) -> list[Expired]:
    """What was made before that time and is kept still, oldest first."""
    old = recordings.c.deleted_at.is_(None), recordings.c.created_at < before
    kept = select(recordings.c.call_id, recordings.c.file).where(*old).order_by(recordings.c.created_at).limit(most)
    return [Expired(*row) for row in db.execute(kept)]


def deleted(db: Connection, call_ids: Collection[int], now: float) -> None:
    """Their files are gone."""
    mine = recordings.c.call_id.in_(call_ids), recordings.c.deleted_at.is_(None)
    db.execute(update(recordings).where(*mine).values(deleted_at=now))


def kept_bytes(db: Connection) -> int:
    """How large all are that are kept."""
    return int(db.execute(select(func.sum(recordings.c.bytes)).where(recordings.c.deleted_at.is_(None))).scalar() or 0)


_OF_CALLS = select(recordings).where(recordings.c.call_id.in_(bindparam("numbers", expanding=True)))
