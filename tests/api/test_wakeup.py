"""Wake-ups through a real PostgreSQL: heard after the commit, by everybody, and again after the connection broke."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Iterator

import pytest
from postgres import Postgres

from api.store import wakeup
from api.store.database import Database
from api.store.wakeup import CALLS, CHANNELS, WEBHOOKS, Listener, notify

on_postgresql = pytest.mark.parametrize(
    "store_url", [pytest.param("postgresql", marks=pytest.mark.peer)], indirect=True
)


class Heard:
    """A listener, and what it heard."""

    def __init__(self, database: Database) -> None:
        self.came: queue.Queue[str] = queue.Queue()
        self.listener = Listener(database, self.came.put)
        self.listener.start()

    def after_connect(self) -> None:
        assert {self.came.get(timeout=10) for _ in CHANNELS} == set(CHANNELS)


@pytest.fixture
def heard(database: Database) -> Iterator[Heard]:
    made = Heard(database)
    yield made
    made.listener.stop()


def _notify(database: Database, channel: str) -> None:
    with database.write() as db:
        notify(db, channel)


@on_postgresql
def test_heard_once_committed(heard: Heard, database: Database) -> None:
    heard.after_connect()
    with database.write() as db:
        notify(db, CALLS)
        notify(db, CALLS)
        with pytest.raises(queue.Empty):
            heard.came.get(timeout=0.2)
    assert heard.came.get(timeout=1) == CALLS
    _notify(database, WEBHOOKS)
    assert heard.came.get(timeout=1) == WEBHOOKS
    with contextlib.suppress(ZeroDivisionError), database.write() as db:
        notify(db, CALLS)
        raise ZeroDivisionError
    with pytest.raises(queue.Empty):
        heard.came.get(timeout=0.2)


@on_postgresql
def test_everybody_hears_it(heard: Heard, database: Database) -> None:
    other = Heard(database)
    heard.after_connect()
    other.after_connect()
    _notify(database, CALLS)
    assert heard.came.get(timeout=1) == other.came.get(timeout=1) == CALLS
    other.listener.stop()


@on_postgresql
def test_a_connection_that_breaks_comes_back(
    heard: Heard, database: Database, store_url: str, postgres: Postgres
) -> None:
    for _ in range(3):
        heard.after_connect()
        assert postgres.terminate(store_url, "LISTEN%") == 1
    heard.after_connect()
    _notify(database, CALLS)
    assert heard.came.get(timeout=1) == CALLS


@on_postgresql
def test_a_silent_connection_is_tried(heard: Heard, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "IDLE_S", 0.02)
    heard.after_connect()
    _notify(database, CALLS)  # from here on it is tried all the time
    for _ in range(50):
        _notify(database, CALLS)
        time.sleep(0.003)
        assert heard.came.get(timeout=1) == CALLS


@on_postgresql
def test_one_who_cannot_be_told_is_told_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "PAUSES_S", (0.01, 0.02))
    came: queue.Queue[str] = queue.Queue()
    failures = [OSError("not now")] * 3

    def told(channel: str) -> None:
        if failures:
            raise failures.pop()
        came.put(channel)

    listener = Listener(database, told)
    listener.start()
    assert {came.get(timeout=5), came.get(timeout=5)} == set(CHANNELS)
    listener.stop()


def test_it_stops_at_once(heard: Heard, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        heard.after_connect()
    began = time.monotonic()
    heard.listener.stop()
    assert time.monotonic() - began < 0.5
    assert not heard.listener._thread.is_alive()


def test_it_stops_while_there_is_no_server(tmp_path: object) -> None:
    database = Database(f"postgresql://nobody@/none?host={tmp_path}")
    made = Heard(database)
    time.sleep(0.3)
    began = time.monotonic()
    made.listener.stop()
    assert time.monotonic() - began < 0.5
    database.dispose()


def test_sqlite_hears_nothing_and_minds_nothing(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/zvonar.db")
    database.migrate()
    heard = Heard(database)
    _notify(database, CALLS)
    heard.listener.stop()
    assert heard.came.empty()
    database.dispose()
