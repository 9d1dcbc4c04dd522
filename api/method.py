"""What a method of the contract gets, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api import replies
from api.body import File
from api.clips import ClipStore
from api.speech import Speech
from api.store import replays
from api.store.accounts import Account
from api.store.database import Database
from api.store.replays import Kept
from api.tariff import Tariff
from engine.config import TrunkConfig

Outcome = list[dict[str, Any]] | dict[str, Any]  # `data` of the reply


@dataclass(frozen=True, slots=True)
class Repetition:
    """The request has an `Idempotency-Key`."""

    key: str
    fingerprint: str  # of everything that the request asks for


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an account that was let in. Methods block: they run in a thread of their own."""

    account: Account
    values: dict[str, Any]
    files: Sequence[File]
    address: str  # the client's
    base_url: str  # what our own links begin with
    language: str  # of what is said to people
    repetition: Repetition | None
    database: Database
    clips: ClipStore
    speech: Speech
    tariff: Tariff
    trunks: Sequence[TrunkConfig]
    now: Callable[[], float]
    wake: Callable[[], None]  # calls were queued
    told: Callable[[], None]  # webhooks were

    def keep(self, db: Connection, outcome: Outcome) -> None:
        """The last thing in the transaction of what the method did: let the request's `Idempotency-Key`, if it has one,
        stand for this reply. Raises replays.AlreadyGiven."""
        if self.repetition is not None:
            reply = replies.envelope("success", outcome, self.language).decode()
            kept = Kept(self.repetition.fingerprint, reply)
            replays.keep(db, self.account.id, self.repetition.key, kept, self.now())


Method = Callable[[Call], Outcome]
