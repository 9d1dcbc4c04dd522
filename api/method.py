"""What a method of the contract gets, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from api.body import File
from api.clips import ClipStore
from api.store.accounts import Account
from api.store.database import Database
from engine.config import TrunkConfig

Outcome = list[dict[str, Any]] | dict[str, Any]  # `data` of the reply


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an account that was let in. Methods block: they run in a thread of their own."""

    account: Account
    values: dict[str, Any]
    files: Sequence[File]
    address: str  # the client's
    base_url: str  # what our own links begin with
    database: Database
    clips: ClipStore
    trunks: Sequence[TrunkConfig]
    now: Callable[[], float]
    wake: Callable[[], None]  # something was queued


Method = Callable[[Call], Outcome]
