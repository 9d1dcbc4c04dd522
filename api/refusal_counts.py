"""Counts what the API refuses: in memory, written every second, so that a refusal costs nobody a transaction."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import structlog

from api.shielded import to_its_end
from api.store import refusals
from api.store.database import Database
from api.store.refusals import HOUR_S, Kind

WRITTEN_EVERY_S = 1.0

_log = structlog.get_logger("zvonar.http")


class RefusalCounts:
    """`add` and `write` may be called from any thread; `write_on` belongs to the service's loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counts: Counter[Kind] = Counter()

    def add(self, account_id: int, method: str, code: str, now: float) -> None:
        """One more."""
        with self._lock:
            self._counts[Kind(account_id, int(now // HOUR_S), method, code)] += 1

    def write(self) -> None:
        """Into the store, in one transaction. Counts that it does not take are lost: a request must not wait for them,
        and a transaction that broke may have been committed."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with self._database.write() as db:
                refusals.add(db, counts)
        except Exception as error:
            _log.error("refusal_counts_are_lost", count=counts.total(), reason=type(error).__name__)

    async def write_on(self) -> None:
        """Write every `WRITTEN_EVERY_S` until cancelled."""
        while True:
            await asyncio.sleep(WRITTEN_EVERY_S)
            if self._counts:
                await to_its_end(asyncio.get_running_loop().run_in_executor(None, self.write))
