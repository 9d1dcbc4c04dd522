"""This process as one of those that place calls from the store: it beats, and looks for dead ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from api import conclusion
from api.recordings import Recordings
from api.store import attempts, nodes, outbox, queue, refusals, replays, sessions
from api.store.database import Database
from engine.trunks import TrunkState

TIDY_EVERY_S = 600.0  # who signed in, and who failed to: nothing finds these by their age

_log = structlog.get_logger("zvonar.node")


class Node:
    """Safe to use from any thread; its calls block."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], float],
        recordings: Recordings,
        registrations: Callable[[], Mapping[str, TrunkState]] = dict,
    ) -> None:
        self._database = database
        self._now = now
        self._recordings = recordings
        self._registrations = registrations
        self._told: dict[str, dict[str, Any]] | None = None  # of them, to the store
        self._beat_at = now()
        self._tidied_at = 0.0
        with database.write() as db:
            self.id = nodes.register(db, now())

    @property
    def alive(self) -> bool:
        """Others cannot have taken this node for dead yet, so it may place calls."""
        return self._now() - self._beat_at < nodes.DEAD_AFTER_S - nodes.BEAT_S

    def beat(self) -> bool:
        """Say that we live; false if others have taken us for dead, and our calls with it.

        What is no longer needed of what was replied goes at the same time.
        """
        with self._database.write() as db:
            now = self._now()
            trunks = {name: state._asdict() for name, state in self._registrations().items()}
            lives = nodes.beat(db, self.id, now, None if trunks == self._told else trunks)
            if not lives:
                self.id = nodes.register(db, now)
            replays.forget(db, now)
            if now - self._tidied_at > TIDY_EVERY_S:
                sessions.forget(db, now)
                attempts.forget(db, now)
                refusals.forget(db, now)
                self._tidied_at = now
        self._beat_at = now
        self._told = trunks if lives else None
        return lives

    def sweep(self) -> int:
        """Take over what dead nodes left; how many of their calls were interrupted."""
        now = self._now()
        with self._database.read() as db:
            dead = [node for node in nodes.dead(db, now) if node != self.id]
            dead += queue.orphaned(db) + outbox.orphaned(db)
        interrupted = 0
        for node in dict.fromkeys(dead):
            with self._database.write() as db:
                count = conclusion.sweep(db, node, now, self._recordings)
                nodes.leave(db, node)
            _log.warning("node_died", node=node, interrupted=count)
            interrupted += count
        return interrupted

    def let_calls_go(self) -> None:
        """This node places no more calls; what it still has is over or queued again."""
        with self._database.write() as db:
            conclusion.let_go(db, self.id, self._now(), self._recordings)

    def leave(self) -> None:
        """This node does nothing any more, also no webhooks."""
        with self._database.write() as db:
            conclusion.sweep(db, self.id, self._now(), self._recordings)
            nodes.leave(db, self.id)
