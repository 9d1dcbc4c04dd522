"""The dial queue: a call belongs to one node, is dialled at most once, and ends exactly once."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from api import conclusion
from api.node import Node
from api.recordings import Recordings
from api.store import accounts, calls, claims, money, nodes, outbox, queue, recordings, stop_list
from api.store.calls import Callee, Order
from api.store.claims import Claimed, Limits
from api.store.database import Database
from api.store.queue import End
from api.store.schema import metadata
from api.window import Opening
from engine.config import ApiConfig, RecordingConfig

NUMBER = "79932432781"
URL = "http://calls.example"
LIMITS = Limits("trunk", (NUMBER,))
PRICE = Decimal("1.5")
BALANCE = Decimal(100_000)
OPTIONS = {
    "webhookUrl": "http://127.0.0.1:1/end", "webhookParameters": None, "webhookHeaders": None, "plannedAt": None,
    "timeout": 30, "tag": None, "label": "", "detectEndOfSpeech": 0, "voiceDetectionEnabled": 0,
    "robotsBlockEnabled": 0, "needRecording": 0, "needRecognition": 0, "smartDelay": None, "startTime": None,
    "endTime": None, "weekdays": None, "prevCallId": None, "useOutgoingPhoneForManager": 0,
}  # fmt: skip
ORDER = Order(OPTIONS, {}, {})


class Store:
    """A store with an account, and calls in its queue."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.recordings = Recordings(RecordingConfig(folder=folder), ApiConfig(public_url=URL), database)
        with self.database.write() as db:
            account, _ = accounts.add(db, self.database.seal, "me", balance=BALANCE, moderated=True, now=0.0)
            self.account = account.id

    def place(self, count: int, due_at: float = 0.0, outgoing: str = NUMBER) -> list[int]:
        callees = [Callee(f"7999{number:07}", outgoing, PRICE) for number in range(count)]
        with self.database.write() as db:
            return calls.place(db, self.account, callees, ORDER, Opening(due_at, None), "", now=time.time())

    def claim(self, node: str, room: int = 100, now: float = 1.0) -> list[Claimed]:
        with self.database.write() as db:
            return claims.claim(db, node, LIMITS, room, now).calls

    def fence(self, call: Claimed, node: str) -> bool:
        with self.database.write() as db:
            return queue.fence(db, call, node, LIMITS, 2.0) is not None

    def conclude(self, call: int, node: str, cost: str = "1.5") -> bool:
        end = End(disposition="answered", answered=True, at=3.0, answered_at=2.5, cost=Decimal(cost))
        with self.database.write() as db:
            return conclusion.conclude(db, call, node, end, URL)

    def call(self, number: int) -> calls.Call:
        with self.database.read() as db:
            kept = calls.one(db, self.account, number)
            assert kept is not None
            return kept.calls[-1]

    def webhooks(self) -> int:
        with self.database.read() as db:
            return outbox.census(db)

    def held(self) -> Decimal:
        with self.database.read() as db:
            return accounts.by_id(db, self.account).held

    def balance(self) -> Decimal:
        with self.database.read() as db:
            return accounts.by_id(db, self.account).balance


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    return Store(database, tmp_path)


def test_longest_due_first_and_only_what_is_due(store: Store) -> None:
    late, later, never = store.place(1, 0.9)[0], store.place(1, 0.5)[0], store.place(1, 5.0)[0]
    elsewhere = store.place(1, 0.1, outgoing="74950000000")[0]
    claimed = [call.api_call_id for call in store.claim("a")]
    assert claimed == [later, late]
    assert store.claim("a") == []
    assert {store.call(number).status for number in (never, elsewhere)} == {"created"}


def test_room_bounds_the_claim(store: Store) -> None:
    store.place(10)
    assert len(store.claim("a", room=3)) == 3
    assert len(store.claim("b", room=30)) == 7


def test_fence_opens_once_and_only_for_the_owner(store: Store) -> None:
    store.place(1)
    [call] = store.claim("a")
    assert not store.fence(call, "b")
    assert store.fence(call, "a")
    assert not store.fence(call, "a")
    assert store.call(call.api_call_id).status == "started"


def test_end_comes_once(store: Store) -> None:
    store.place(1)
    [call] = store.claim("a")
    assert not store.conclude(call.id, "b")
    assert store.conclude(call.id, "a")
    assert not store.conclude(call.id, "a")
    assert (store.webhooks(), store.balance()) == (1, BALANCE - PRICE)


def test_racing_nodes(store: Store) -> None:
    store.place(300)
    invited: Counter[int] = Counter()
    over: Counter[int] = Counter()

    def work(node: str) -> None:
        while claimed := store.claim(node, room=7):
            for call in claimed:
                invited[call.id] += store.fence(call, node)
                over[call.id] += store.conclude(call.id, node)

    workers = [threading.Thread(target=work, args=(f"node {number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(invited.values()) == set(over.values()) == {1}
    assert len(over) == store.webhooks() == 300
    assert store.balance() == BALANCE - 300 * Decimal("1.5")


def test_what_a_dead_node_leaves(store: Store) -> None:
    waiting, invited, answered = store.place(3)
    claimed = {call.api_call_id: call for call in store.claim("dead")}
    assert store.fence(claimed[invited], "dead")
    assert store.fence(claimed[answered], "dead")
    with store.database.write() as db:
        queue.answered(db, claimed[answered].id, "dead", 4.0)
    left = store.recordings.place(answered, claimed[answered].id, 2.0)
    assert isinstance(left, Path)
    left.write_bytes(b"RIFF")  # the writer outlives the node, and has finished it
    os.utime(left, (9.5, 9.5))
    heir = Node(store.database, time.time, store.recordings)
    assert heir.sweep() == 2
    with store.database.read() as db:
        found = recordings.of_account(db, store.account, answered, claimed[answered].id)
    assert found is not None
    assert (found.file, found.state, found.duration_ms, found.bytes) == (
        f"1970-01-01/{left.name}", "incomplete", 5500, 4,
    )  # fmt: skip
    assert (store.call(waiting).status, store.call(waiting).owner) == ("created", None)
    assert (store.call(invited).status, store.call(invited).disposition) == ("canceled", "interrupted")
    assert (store.call(answered).status, store.call(answered).disposition) == ("finished", "interrupted")
    assert store.webhooks() == 2
    assert [call.api_call_id for call in store.claim(heir.id)] == [waiting]
    assert heir.sweep() == 0


def test_a_stopped_node_wakes_up_too_late(store: Store) -> None:
    """SIGSTOP, eight seconds, SIGCONT: others have taken over, and nothing that it does counts any more."""
    now = [100.0]
    store.place(2)
    sleeper = Node(store.database, lambda: now[0], store.recordings)
    first, second = store.claim(sleeper.id)
    assert store.fence(first, sleeper.id)
    now[0] += nodes.DEAD_AFTER_S + 1
    assert not sleeper.alive
    heir = Node(store.database, lambda: now[0], store.recordings)
    assert heir.sweep() == 1
    was = sleeper.id
    assert not store.fence(second, was)
    assert not store.conclude(first.id, was)
    assert not sleeper.beat()
    assert sleeper.id != was
    assert sleeper.beat()
    assert store.call(first.api_call_id).disposition == "interrupted"
    assert (store.webhooks(), store.balance()) == (1, BALANCE)


def test_the_stop_list_is_looked_at_again(store: Store) -> None:
    store.place(1)
    with store.database.write() as db:
        stop_list.add(db, store.account, {"79990000000": ""}, 1.0)
        stop_list.add(db, store.account, {"79990000000": "again"}, 1.0)
    assert [call.stopped for call in store.claim("a")] == [True]


def test_the_stop_list_in_two_transactions_at_once(store: Store) -> None:
    first, second = store.place(2)
    claimed = {call.api_call_id: call.id for call in store.claim("a")}

    def stop(number: int) -> None:
        with store.database.write() as db:
            queue.pressed_stop(db, claimed[number])
            stop_list.add(db, store.account, {"79990000000": ""}, 1.0)
            time.sleep(0.1)

    _at_once(lambda: stop(first), lambda: stop(second))
    assert (store.call(first).to_block, store.call(second).to_block) == (1, 1)
    with store.database.read() as db:
        assert stop_list.listed(db, store.account, ["79990000000"]) == {"79990000000"}


def test_money_is_spent_once(store: Store) -> None:
    """Two requests at once, and money for one of them: what a call may cost is held from the beginning."""
    placed: list[int] = []
    refused: list[money.NotEnough] = []

    def create() -> None:
        callee = Callee("79990000000", NUMBER, BALANCE * Decimal("0.6"))
        try:
            with store.database.write() as db:
                placed.extend(calls.place(db, store.account, [callee], ORDER, Opening(0.0, None), "", 0.0))
                time.sleep(0.1)
        except money.NotEnough as error:
            refused.append(error)

    _at_once(create, create)
    assert (len(placed), len(refused)) == (1, 1)
    assert store.held() == BALANCE * Decimal("0.6")


def test_a_host_longer_than_its_column(store: Store) -> None:
    """The webhook cannot arrive, but the call's end must be kept."""
    order = Order(OPTIONS | {"webhookUrl": f"http://{'x' * 1900}.test/end"}, {}, {})
    callee = Callee("79990000000", NUMBER, PRICE)
    with store.database.write() as db:
        [number] = calls.place(db, store.account, [callee], order, Opening(0.0, None), "", 0.0)
    [call] = store.claim("a")
    assert store.conclude(call.id, "a")
    assert (store.call(number).status, store.webhooks()) == ("finished", 1)


def test_removed_between_claim_and_fence(store: Store) -> None:
    [number] = store.place(1)
    [call] = store.claim("a")
    with store.database.write() as db:
        assert [kept.id for kept in calls.remove(db, store.account, [number], 2.0)] == [number]
    assert not store.fence(call, "a")
    assert not store.conclude(call.id, "a")
    assert store.webhooks() == 0


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_long_queue_does_not_slow_the_claim(store: Store) -> None:
    """SQLite counts its steps: a claim takes as many with 20,000 planned calls as with one."""
    steps = []
    for planned in (1, 20_000):
        store.place(planned, due_at=10.0)
        store.place(1, due_at=0.5)
        counted: list[int] = []
        with store.database.write() as db:
            driver: Any = db.connection.driver_connection
            driver.set_progress_handler(lambda counted=counted: counted.append(1), 100)
            assert len(claims.claim(db, "a", LIMITS, 100, 1.0).calls) == 1
            driver.set_progress_handler(None, 0)
        steps.append(len(counted))
    assert steps[1] <= steps[0] + 20


# --- with the runner ------------------------------------------------------------------------------------


@pytest.mark.parametrize("store_url", [pytest.param("postgresql", marks=pytest.mark.peer)], indirect=True)
def test_two_services_on_one_store(config: Any, fake_engine: Any, run_service: Any) -> None:
    engines = [fake_engine, type(fake_engine)()]
    for engine in engines:
        engine.most, engine.hold = 5, True
    with run_service(config, engines[0]) as first, run_service(config, engines[1]) as second:
        client = first.client()
        phones = [f"7999000{number:04}" for number in range(80)]
        told = client.data("create", phones=phones, dutyPhone=1, record={"id": client.record()})
        _until(lambda: all(len(engine.running) == 5 for engine in engines))
        for running in (first, second):
            _let_go(running)
        for element in told:
            assert client.until_over(element["id"])["calls"][0]["disposition"] == "answered"
    dialled = Counter(dial.to for engine in engines for dial in engine.dialled)
    assert dialled == Counter(phones)


def test_never_more_than_the_engine_takes(running: Any, client: Any) -> None:
    running.engine.most, running.engine.hold = 3, True
    record = client.record()
    phones = [f"7999000{number:04}" for number in range(9)]
    client.data("create", phones=phones, dutyPhone=1, record={"id": record})
    _until(lambda: len(running.engine.running) == 3)
    time.sleep(0.8)  # another look at the queue
    assert len(running.engine.dialled) == 3
    _let_go(running)
    _until(lambda: len(running.engine.dialled) == 9)


def test_an_end_of_service_ends_the_calls(config: Any, fake_engine: Any, run_service: Any) -> None:
    fake_engine.hold, fake_engine.most = True, 1
    with run_service(config, fake_engine) as running:
        client = running.client()
        record = client.record()
        held, waits = client.create(record)["id"], client.create(record)["id"]
        _until(lambda: len(fake_engine.running) == 1)
    fake_engine.hold, fake_engine.most = False, 100
    with run_service(config, fake_engine) as running:
        client = _client_of(running, client.key)
        assert client.until_over(held)["calls"][0]["disposition"] == "answered"
        assert client.until_over(waits)["calls"][0]["disposition"] == "answered"
    assert len(fake_engine.dialled) == 2


def test_a_node_taken_for_dead_hangs_up(running: Any, client: Any) -> None:
    running.engine.hold = True
    number = client.create(client.record())["id"]
    _until(lambda: running.engine.held == 1)
    table = metadata.tables["nodes"]
    with running.service.database.write() as db:
        db.execute(table.delete())
    running.engine.hold = False  # of calls that begin from now on
    until_over = client.until_over(number, within_s=6)
    assert until_over["calls"][0]["disposition"] == "interrupted"
    _until(lambda: not running.engine.running)
    assert client.until_over(client.create(client.record())["id"])["calls"][0]["disposition"] == "answered"


def test_a_locked_store_loses_no_result(running: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = conclusion.conclude, [OSError("disk full")] * 2

    def failing(*arguments: Any) -> bool:
        if failures:
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(conclusion, "conclude", failing)
    assert client.until_over(client.create(client.record())["id"])["calls"][0]["disposition"] == "answered"
    assert not failures


def test_a_clip_that_is_gone(running: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.dial import DialError

    async def refuse(_dial: Any, _fence: Any = None) -> Any:
        await asyncio.sleep(0)
        raise DialError("clip.wav: no such file")

    monkeypatch.setattr(running.engine, "dial", refuse)
    call = client.until_over(client.create(client.record())["id"])["calls"][0]
    assert (call["status"], call["disposition"], call["startedAt"]) == ("canceled", "internal_error", None)


def test_calls_for_a_number_that_is_gone_wait(config: Any, fake_engine: Any, run_service: Any) -> None:
    with run_service(config, fake_engine) as running:
        client = running.client()
        number = client.create(client.record())["id"]
        client.until_over(number)
        with running.service.database.write() as db:
            table = metadata.tables["calls"]
            db.execute(update(table).values(outgoing="74950000000", status="created", finished_at=None))
        time.sleep(0.7)
        assert client.get(number)["calls"][0]["status"] == "created"


def _at_once(*tasks: Callable[[], None]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _let_go(running: Any) -> None:
    """The calls that are held end, and later ones are not held."""
    running.engine.hold = False
    for call in list(running.engine.running.values()):
        running.service._thread.loop.call_soon_threadsafe(call.hangup)


def _client_of(running: Any, key: str) -> Any:
    client = running.client("for its class")
    client.key = key
    return client


def _until(condition: Callable[[], bool], within_s: float = 8.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)
