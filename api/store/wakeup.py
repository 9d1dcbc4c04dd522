"""Wake-ups between nodes: whoever queues something says so, and every node hears it, on PostgreSQL.

LISTEN and NOTIFY: what a transaction notifies arrives once it is committed, or not at all. It is a hint and no more:
one is lost where a connection breaks, so whoever waits for work looks by itself too, only less often. SQLite has
nothing of the kind.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, func, select

from api.store.database import Database

CALLS, WEBHOOKS = "zvonar_calls", "zvonar_webhooks"
CHANNELS = (CALLS, WEBHOOKS)

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)  # before the first, second ... attempt to connect again; then the last for ever
IDLE_S = 30.0  # after so long a silence the connection is tried
STOP_S = 2.0  # to connect may take longer than that; the thread then ends behind our back

_log = structlog.get_logger("zvonar.wakeup")


def notify(db: Connection, channel: str) -> None:
    """Wake who listens there, when this transaction is committed; nothing on SQLite."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_notify(channel, "")))


class Listener:
    """Calls `told(channel)`, in a thread of its own, when anybody has notified; several at once may come as one.

    After each connect it calls it for every channel, because what came before was not heard. On SQLite it does nothing.
    """

    def __init__(self, database: Database, told: Callable[[str], None]) -> None:
        self._database = database
        self._told = told
        self._stopping = threading.Event()
        self._failures = 0
        self._awake, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="wakeup", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        if self._database.can_notify:
            self._thread.start()

    def stop(self) -> None:
        """No call of `told` begins after this; the connection is closed. Blocks, for `STOP_S` at most."""
        self._stopping.set()
        self._wake.close()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._awake.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._database.lone() as connection:
                    self._listen(connection)
            except Exception as error:  # whatever it is: without this thread the node would be slow for ever
                if self._stopping.is_set():
                    return
                pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
                self._failures += 1
                _log.warning("wakeups_not_heard", problem=type(error).__name__, again_in_s=pause_s)
                self._stopping.wait(pause_s)

    def _listen(self, connection: Any) -> None:
        """Returns when we are stopped, raises when the connection is lost."""
        for channel in CHANNELS:
            connection.execute(f"LISTEN {channel}")
        self._tell(set(CHANNELS))
        self._failures = 0
        with selectors.DefaultSelector() as waiting:
            waiting.register(connection.fileno(), selectors.EVENT_READ)
            waiting.register(self._awake, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if not waiting.select(IDLE_S):
                    connection.execute("SELECT 1")
                self._tell({note.channel for note in connection.notifies(timeout=0)})

    def _tell(self, channels: set[str]) -> None:
        for channel in channels:
            if not self._stopping.is_set():
                self._told(channel)
