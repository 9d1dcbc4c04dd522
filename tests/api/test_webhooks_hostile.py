"""Receivers that mean harm, or are in trouble: nothing of ours grows, waits or goes astray for them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chaos import Node, Orderer, account, upload

from api import delivery
from api.delivery import Deliverer
from api.guard import LOOPBACK, Network
from api.metrics import Metrics
from api.node import Node as StoreNode
from api.recordings import Recordings
from api.store import accounts, calls, outbox
from api.store.calls import Callee, Order
from api.store.database import Database
from api.window import Opening
from engine.config import SANDBOX_NUMBERS, ApiConfig, RecordingConfig

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
ONE_MB = b"x" * (1 << 20)
BOMB = gzip.compress(b"\0" * (200 << 20), 6)  # a thousandth of it


class Raw:
    """A receiver that answers each connection as `answer` does it, with the bare socket."""

    def __init__(self, answer: Callable[[socket.socket], None], host: str = "127.0.0.1") -> None:
        self._answer = answer
        self._socket = socket.create_server((host, 0), backlog=256)
        self._ended = threading.Event()
        self.came: queue.Queue[bytes] = queue.Queue()
        self.url = f"http://{host}:{self._socket.getsockname()[1]}/hook"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        self._socket.settimeout(0.05)
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(30)
            self.came.put(connection.recv(1 << 20))
            self._answer(connection)

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the test is over."""
        self._ended.wait(seconds)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def raw() -> Iterator[Callable[..., Raw]]:
    made: list[Raw] = []

    def make(answer: Callable[[socket.socket], None], **options: Any) -> Raw:
        made.append(Raw(answer, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def gigabytes(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-length: 4294967296\r\n\r\n")
    for _ in range(4096):
        connection.sendall(ONE_MB)


def bomb(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB)


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for number in itertools.count():
        connection.sendall(b"x-%d: " % number + b"y" * 8000 + b"\r\n")


def drips(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-length: 100000\r\n\r\n")
    for _ in range(60):
        connection.sendall(b".")
        time.sleep(0.5)


def drips_headers(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for number in range(60):
        connection.sendall(b"x-%d: y\r\n" % number)
        time.sleep(0.5)


def never(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass


def inward(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/inside\r\ncontent-length: 0\r\n\r\n")


def broken(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno")


def garbage(connection: socket.socket) -> None:
    connection.sendall(os.urandom(4096))


def test_memory_does_not_grow(tmp_path: Path, sound: Callable[..., bytes], raw: Callable[..., Raw]) -> None:
    """A real service, and receivers that send gigabytes, bombs and endless headers: its memory stays, all are told."""
    url = f"sqlite:///{tmp_path}/zvonar.db"
    mine = account(url, tmp_path, "mine", Decimal(1000))
    node = Node("node", tmp_path, f'[store]\nurl = "{url}"\n', calls=40)
    node.start()
    orderer = Orderer([node], 1)
    try:
        upload(orderer, mine, sound(0.1))
        receivers = [raw(kind) for kind in (gigabytes, bomb, endless_headers, gigabytes, bomb)]
        good = raw(lambda connection: connection.sendall(HEAD + b"content-length: 2\r\n\r\nok"))

        def order(hook: str, phone: str) -> int:
            wanted = {"phone": phone, "outgoingPhone": SANDBOX_NUMBERS[0], "record": {"id": mine.record}}
            told = orderer.post("create", json={"apiKey": mine.key, "webhookUrl": hook, **wanted})
            return int(told["data"][0]["id"])

        order(good.url, "79990000003")
        good.came.get(timeout=20)
        before = _rss_mb(node)
        numbers = {one.url: order(one.url, "79990000003") for one in receivers for _ in range(3)}
        for one in receivers:
            for _ in range(3):
                one.came.get(timeout=20)
        order(good.url, "79990000003")
        good.came.get(timeout=20)
        most = before
        until = time.monotonic() + 4
        while time.monotonic() < until:
            most = max(most, _rss_mb(node))
            time.sleep(0.05)
        assert most - before < 40, (before, most)
        _until(lambda: _told(orderer, mine.key, numbers[receivers[0].url])["status"] == "delivered")
        kept = _told(orderer, mine.key, numbers[receivers[0].url])["attempts"][0]
        assert (kept["status"], len(kept["answer"])) == (200, delivery.ANSWER_CHARACTERS)
    finally:
        orderer.close()
        node.end()


def _told(orderer: Orderer, key: str, number: int) -> dict[str, Any]:
    [told] = orderer.post("webhooks/list", json={"apiKey": key, "apiCallIdList": [number]})["data"]
    return dict(told)


def _rss_mb(node: Node) -> float:
    assert node.process is not None
    return int(Path(f"/proc/{node.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def test_an_end_sends_nothing_twice(config: Any, fake_engine: Any, run_service: Any, receiver: Any) -> None:
    """The service ends while a webhook is on its way: it arrives, and no second one is begun beside it."""
    receiver.pause_s = 1.0
    with run_service(config, fake_engine) as running:
        client = running.client()
        number = client.create(client.record(), webhookUrl=receiver.url)["id"]
        _until(lambda: client.get(number)["calls"][0]["status"] == "finished")
        time.sleep(0.3)  # it is on its way
    with run_service(config, fake_engine) as running:
        again = running.client("again")
        again.key = client.key
        assert again.get(number)["webhookSent"] == 1
    assert receiver.came.qsize() == 1


# --- the deliverer alone, on a clock that is told -------------------------------------------------------------


class Outbox:
    """A store with an account and webhooks in it, a clock that is told, and a deliverer."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.time = 1_000_000.0
        self._clip = itertools.count(1)
        self._accounts: dict[str, int] = {}

    def add(self, url: str, name: str = "me") -> int:
        """One webhook of that account; the api-call's number."""
        options = {"webhookHeaders": {"X-Token": "t"}, "webhookUrl": url}
        with self.database.write() as db:
            if name not in self._accounts:
                made, _ = accounts.add(db, self.database.seal, name, balance=Decimal(10), now=self.time)
                self._accounts[name] = made.id
            callee = Callee("79990000001", SANDBOX_NUMBERS[0], Decimal(0))
            opening = Opening(self.time + 1e6, None)
            mine = self._accounts[name]
            [number] = calls.place(db, mine, [callee], Order(options, {}, {}), opening, "", self.time)
            kept = calls.one(db, mine, number)
            assert kept is not None
            outbox.add(db, kept, "end", url, {"id": number, "webhookTry": 1, "apiCalls": []}, self.time)
        return number

    def deliverer(self, networks: Sequence[Network] = LOOPBACK) -> Deliverer:
        node = StoreNode(self.database, lambda: self.time, Recordings(RecordingConfig(), ApiConfig(), self.database))
        return Deliverer(self.database, node, networks, Metrics(), lambda: self.time)

    def shown(self, number: int, name: str = "me") -> outbox.Webhook:
        with self.database.read() as db:
            [found] = outbox.webhooks(
                db, self._accounts[name], numbers=None, api_call_ids=[number], failed_only=False, since=0, most=10
            )
        return found

    def again(self, name: str = "me", **which: Any) -> list[int]:
        given = {"numbers": None, "failed_since": None} | which
        with self.database.write() as db:
            return outbox.send_again(db, self._accounts[name], self.time, **given)


@pytest.fixture
def box(database: Database, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    monkeypatch.setattr(delivery, "POLL_S", 0.02)
    return Outbox(database)


async def _while(deliverer: Deliverer, condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deliverer.wake()
    until = time.monotonic() + within_s
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < until, "it did not come about"
        await asyncio.sleep(0.02)


@pytest.mark.anyio
async def test_down_for_an_hour(box: Outbox, raw: Callable[..., Raw]) -> None:
    """Nobody listens for an hour: tries with growing pauses; then it is delivered, with the next try."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    number = box.add(f"http://127.0.0.1:{port}/hook")
    began = box.time
    deliverer = box.deliverer()
    deliverer.start()
    try:
        for tries in itertools.count(1):
            await _while(deliverer, lambda tries=tries: len(box.shown(number).kept) == tries)  # type: ignore[misc]
            await _while(deliverer, lambda tries=tries: box.shown(number).next_at > box.time)  # type: ignore[misc]
            if box.time - began > 3600:
                break
            box.time = box.shown(number).next_at
        shown = box.shown(number)
        pauses = [later.at - earlier.at for (_, earlier), (_, later) in itertools.pairwise(shown.kept)]
        for pause_s, planned_s in zip(pauses, delivery.AGAIN_S, strict=False):
            assert planned_s <= pause_s <= planned_s * (1 + delivery.JITTER)
        assert (
            len({round(pause_s / planned_s, 6) for pause_s, planned_s in zip(pauses, delivery.AGAIN_S, strict=False)})
            > 1
        )
        assert all(tried.status is None and tried.answer for _, tried in shown.kept)
        assert shown.state == "waiting"
        back = socket.create_server(("127.0.0.1", port))
        box.time = shown.next_at
        threading.Thread(target=_answer_once, args=(back,), daemon=True).start()
        await _while(deliverer, lambda: box.shown(number).state == "delivered")
        shown = box.shown(number)
        assert [count for count, _ in shown.kept] == list(range(1, shown.tries + 1))
        last = shown.kept[-1][1]
        assert (last.status, last.answer, last.headers["X-Token"]) == (201, "thanks", "t")
        assert last.headers["webhook-id"] == shown.kept[0][1].headers["webhook-id"]
        assert int(last.headers["webhook-timestamp"]) == int(last.at)
    finally:
        await deliverer.stop(1.0)


def _answer_once(server: socket.socket) -> None:
    with server:
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 20)
            connection.sendall(b"HTTP/1.1 201 Created\r\ncontent-length: 6\r\nconnection: close\r\n\r\nthanks")


@pytest.mark.anyio
async def test_given_up_after_three_days_and_sent_again(box: Outbox, raw: Callable[..., Raw]) -> None:
    answers = [b"HTTP/1.1 500 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno"]
    receiver = raw(lambda connection: connection.sendall(answers[0]))
    numbers = [box.add(receiver.url) for _ in range(3)]
    began = box.time
    deliverer = box.deliverer()
    deliverer.start()
    try:
        while waiting := [shown for shown in map(box.shown, numbers) if shown.done_at is None]:
            box.time = max(box.time, min(shown.next_at for shown in waiting))
            tries = sum(len(shown.kept) for shown in waiting)
            await _while(deliverer, lambda tries=tries: sum(len(box.shown(n).kept) for n in numbers) > tries)  # type: ignore[misc]
        assert {box.shown(number).state for number in numbers} == {"failed"}
        assert {len(box.shown(number).kept) for number in numbers} == {len(delivery.AGAIN_S) + 1}
        assert 60 * 3600 < box.time - began < 87 * 3600
        answers[0] = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
        first = box.shown(numbers[0]).id
        assert box.again(numbers=[first]) == [first]
        await _while(deliverer, lambda: box.shown(numbers[0]).state == "delivered")
        assert box.shown(numbers[1]).state == "failed"
        assert len(box.again(failed_since=began)) == 2
        await _while(deliverer, lambda: all(box.shown(number).state == "delivered" for number in numbers))
        assert {len(box.shown(number).kept) for number in numbers} == {len(delivery.AGAIN_S) + 2}
    finally:
        await deliverer.stop(1.0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (never, None),
        (drips, 200),
        (drips_headers, None),
        (endless_headers, None),
        (garbage, None),
        (inward, 302),
        (broken, 500),
        (bomb, 200),
        (gigabytes, 200),
    ],
)
async def test_each_is_one_try(
    box: Outbox, raw: Callable[..., Raw], kind: Any, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes back: one try, bounded in time, with what came; and a redirect is no way in."""
    monkeypatch.setattr(delivery, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(delivery, "ANSWER_WITHIN_S", 0.3)
    number = box.add(raw(kind).url)
    deliverer = box.deliverer()
    deliverer.start()
    try:
        began = time.monotonic()
        await _while(deliverer, lambda: bool(box.shown(number).kept))
        assert time.monotonic() - began < 5
    finally:
        await deliverer.stop(1.0)
    [(_, tried)] = box.shown(number).kept
    assert tried.status == status
    assert len(tried.answer) <= delivery.ANSWER_CHARACTERS
    assert box.shown(number).state == ("delivered" if status == 200 else "waiting")


@pytest.mark.anyio
async def test_a_name_that_leads_inside(box: Outbox, raw: Callable[..., Raw]) -> None:
    receiver = raw(broken)
    number = box.add(receiver.url.replace("127.0.0.1", "localhost"))
    deliverer = box.deliverer(networks=[])
    deliverer.start()
    try:
        await _while(deliverer, lambda: bool(box.shown(number).kept))
    finally:
        await deliverer.stop(1.0)
    assert box.shown(number).kept[0][1].status is None
    assert receiver.came.empty()


@pytest.mark.anyio
async def test_forty_slow_hosts_of_one_account(box: Outbox, raw: Callable[..., Raw]) -> None:
    """Forty receivers of one account that never answer, with ten webhooks each; another account's all arrive."""
    slow = [raw(never, host=f"127.0.1.{number}") for number in range(1, 41)]
    for _ in range(10):
        for receiver in slow:
            box.add(receiver.url, "slow")
    good = raw(lambda connection: connection.sendall(HEAD + b"content-length: 0\r\nconnection: close\r\n\r\n"))
    deliverer = box.deliverer()
    deliverer.start()
    try:
        await _while(deliverer, lambda: sum(receiver.came.qsize() for receiver in slow) >= delivery.AT_ONCE_PER_ACCOUNT)
        numbers = [box.add(good.url, "quick") for _ in range(100)]
        began = time.monotonic()
        await _while(deliverer, lambda: all(box.shown(number, "quick").delivered for number in numbers))
        assert time.monotonic() - began < delivery.TIMEOUT_S / 2
        assert sum(receiver.came.qsize() for receiver in slow) <= 2 * delivery.AT_ONCE_PER_ACCOUNT
    finally:
        await deliverer.stop(0.1)


def _until(condition: Callable[[], Any], within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
