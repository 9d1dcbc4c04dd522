"""The service under test: real HTTP, real databases, and an engine that plays what a test tells it to."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import queue
import threading
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
import uvicorn

from api.app import make_app
from api.service import Service
from api.store import accounts
from api.store.database import Database
from engine import config as configuration
from engine.config import SANDBOX, SANDBOX_NUMBERS, Config, TrunkConfig
from engine.dial import Dial, Fenced
from engine.trunks import TrunkState

OUTGOING = SANDBOX_NUMBERS[0]
GOOD = "79990000001"


def wav(seconds: float = 0.2) -> bytes:
    """A WAV file that can be played."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(range(256)) * int(seconds * 8000 * 2 / 256 + 1))
    return file.getvalue()


class FakeCall:
    """A call whose facts the test has decided; an answered one goes on while `FakeEngine.hold` is set."""

    def __init__(self, engine: FakeEngine, dial: Dial) -> None:
        self.id = dial.id or "?"
        self.dial = dial
        self._engine = engine
        self._hung_up = asyncio.Event()
        self._result: dict[str, Any] = {}

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for seq, fact in enumerate(self._engine.facts(self.dial), 1):
            if fact["type"] == "ended" and self._engine.hold:
                self._engine.held += 1
                await self._hung_up.wait()
            self._result = {"call": self.id, "seq": seq, "at": time.time(), **fact}
            yield self._result
        self._engine.running.pop(self.id, None)

    async def result(self) -> dict[str, Any]:
        return self._result

    def hangup(self) -> None:
        self._hung_up.set()


def ended(disposition: str = "answered", **changed: Any) -> dict[str, Any]:
    """The last fact of a call."""
    now = time.time()
    answered = disposition.startswith("answered")
    return {
        "type": "ended", "disposition": disposition, "sip_code": 200 if answered else 486,
        "hangup_cause": 16 if answered else 17, "ended_by": "us", "digits": "", "answers": [], "path": ["menu"],
        "tags": [], "heard_ms": 1200 if answered else 0, "started_at": now - 2,
        "answered_at": now - 1.5 if answered else None, "ended_at": now, "duration_ms": 1500 if answered else 0,
    } | changed  # fmt: skip


def answered_call(_dial: Dial) -> list[dict[str, Any]]:
    """A callee who answers and listens."""
    return [{"type": "dialing"}, {"type": "answered"}, {"type": "block", "block": "menu", "tags": []}, ended()]


class FakeEngine:
    """The engine's front: same names, same shapes, no telephone."""

    def __init__(self) -> None:
        self.trunks = [TrunkConfig(name=SANDBOX, server="127.0.0.1:5060", numbers=SANDBOX_NUMBERS)]
        self.registrations: dict[str, TrunkState] = {}
        self.most = 100
        self.hold = False
        self.held = 0  # calls that have waited to be hung up
        self.dialled: list[Dial] = []
        self.fenced: list[Dial] = []
        self.running: dict[str, FakeCall] = {}
        self.facts: Callable[[Dial], list[dict[str, Any]]] = answered_call

    @asynccontextmanager
    async def open(self, _config: Config) -> AsyncIterator[FakeEngine]:
        yield self
        for call in self.running.values():
            call.hangup()

    @property
    def busy(self) -> float:
        return 0.0

    def room(self, trunk: str) -> int:
        assert trunk in {known.name for known in self.trunks}
        return self.most - len(self.running)

    def census(self) -> dict[str, int]:
        return {"dialogs": 0, "ports": 0, "tasks": 0, "timers": 0, "calls": len(self.running)}

    async def dial(self, dial: Dial, fence: Callable[[], Awaitable[bool]] | None = None) -> FakeCall:
        if fence is not None and not await fence():
            self.fenced.append(dial)
            raise Fenced("not ours")
        call = FakeCall(self, dial)
        self.dialled.append(dial)
        self.running[call.id] = call
        return call


class Client:
    """A program that uses the service."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.http = httpx2.Client(base_url=url, timeout=20, headers={"accept-language": "en"})

    def post(self, method: str, **fields: Any) -> httpx2.Response:
        return self.http.post(f"/apiCalls/{method}", json={"apiKey": self.key, **fields})

    def data(self, method: str, **fields: Any) -> Any:
        answer = self.post(method, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "success"
        return answer.json()["data"]

    def refused(self, method: str, status: int = 422, **fields: Any) -> dict[str, Any]:
        answer = self.post(method, **fields)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        told = answer.json()
        assert told["status"] == "error"
        assert told["data"]["message"]
        return dict(told["data"])

    def record(self, content: bytes | None = None, **fields: str) -> int:
        form = {"apiKey": self.key, **fields}
        files = {"file": ("clip.wav", content or wav())}
        answer = self.http.post("/apiCalls/createRecord", data=form, files=files)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["data"]["id"])

    def create(self, record: int, **fields: Any) -> dict[str, Any]:
        wanted = {"phone": GOOD, "outgoingPhone": OUTGOING, "record": {"id": record}, **fields}
        return dict(self.data("create", **wanted)[0])

    def get(self, number: int) -> dict[str, Any]:
        return dict(self.data("get", apiCallIdList=[number])[0])

    def until_over(self, number: int, within_s: float = 15.0) -> dict[str, Any]:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            told = self.get(number)
            if told["calls"][-1]["status"] in ("finished", "canceled"):
                return told
            time.sleep(0.02)
        raise AssertionError(f"call {number} is not over: {self.get(number)}")


class Running:
    """A service that runs, and its engine."""

    def __init__(self, service: Service, engine: FakeEngine, url: str) -> None:
        self.service = service
        self.engine = engine
        self.url = url
        self.clients: list[Client] = []

    def client(self, name: str = "me", balance: str = "1000", moderated: bool = True, **given: Any) -> Client:
        """A program with an account of its own."""
        database = self.service.database
        with database.write() as db:
            _, key = accounts.add(
                db, database.seal, name, balance=Decimal(balance), moderated=moderated, now=time.time(), **given
            )
        self.clients.append(Client(self.url, key))
        return self.clients[-1]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def run(config: Config, engine: FakeEngine) -> Iterator[Running]:
    """The service on a port of its own, in a thread of its own."""
    service = Service(config, engine.open)
    started: queue.Queue[int | BaseException] = queue.Queue()
    server = _Server(uvicorn.Config(make_app(service), port=0, lifespan="off", log_config=None, access_log=False))

    async def live() -> None:
        try:
            await service.start()
            serving = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.005)
            started.put(server.servers[0].sockets[0].getsockname()[1])
            await serving
        except BaseException as error:
            started.put(error)
            raise
        finally:
            await service.stop()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    port = started.get(timeout=20)
    if isinstance(port, BaseException):
        raise port
    running = Running(service, engine, f"http://127.0.0.1:{port}")
    try:
        yield running
    finally:
        for client in running.clients:
            client.http.close()
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)]


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """`store.url` of a database of the test's own, once of each kind; whoever opens it finds or makes the tables."""
    yield from _store_url(request, tmp_path, empty=False)


@pytest.fixture(params=BOTH)
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same, certainly without tables."""
    yield from _store_url(request, tmp_path, empty=True)


def _store_url(request: pytest.FixtureRequest, folder: Path, *, empty: bool) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/zvonar.db"
        return
    with request.getfixturevalue("postgres").database(empty=empty) as url:
        yield url


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """The store, with the tables up to date."""
    made = Database(store_url)
    made.migrate()
    yield made
    made.dispose()


@pytest.fixture
def store_section(store_url: str, tmp_path: Path) -> dict[str, str]:
    """`[store]` of a configuration, all of it in the test's own places."""
    return {"url": store_url, "folder": str(tmp_path)}


@pytest.fixture
def config(store_section: dict[str, str]) -> Config:
    return configuration.parse({"store": store_section, "api": {"drain_s": 0}})


@pytest.fixture
def fake_engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def running(config: Config, fake_engine: FakeEngine) -> Iterator[Running]:
    with run(config, fake_engine) as service:
        yield service


@pytest.fixture
def client(running: Running) -> Client:
    return running.client()


@pytest.fixture
def run_service() -> Callable[..., Any]:
    """`with run_service(config, engine) as running`, for tests that need more than one."""
    return run


@pytest.fixture
def end_fact() -> Callable[..., dict[str, Any]]:
    return ended


@pytest.fixture
def sound() -> Callable[..., bytes]:
    return wav


class Receiver:
    """A customer's server that takes webhooks."""

    def __init__(self) -> None:
        self.came: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        self.answers: list[int] = []  # codes of the next answers; then 204
        self.pause_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                if receiver.pause_s:
                    time.sleep(receiver.pause_s)
                code = receiver.answers.pop(0) if receiver.answers else 204
                receiver.came.put((self.path, {name.lower(): value for name, value in self.headers.items()}, raw))
                try:
                    self.send_response(code)
                    if code in (301, 302, 307):
                        self.send_header("location", "/elsewhere")
                    self.send_header("content-length", "0")
                    self.end_headers()
                except ConnectionError:
                    pass

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def next(self, within_s: float = 10.0) -> dict[str, Any]:
        return dict(json.loads(self.came.get(timeout=within_s)[2]))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def second_receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()
