"""Services that are killed, and programs that use them meanwhile: the parts of the tests of what dies when.

A `Node` is a real `python -m zvonar serve` on a port of its own, so that a program finds it again after a restart. An
`Orderer` creates calls as a careful program does: each `create` has an Idempotency-Key and is repeated with it until
it is answered.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from api.store import accounts
from api.store.database import Database

STARTS_WITHIN_S = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Node:
    """One `zvonar serve`; `config` is the text of its configuration without `[api]` and `[media]`."""

    def __init__(self, name: str, folder: Path, config: str, *, calls: int = 60, ports: str = "20000-29999") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / f"{name}.toml"
        self.log = folder / f"{name}.log"
        self.config.write_text(
            f'{config}\n[api]\nlisten = "127.0.0.1:{self.port}"\ndrain_s = 0\n[media]\ncalls = {calls}\n'
            f'ports = "{ports}"\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "zvonar", "serve", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + STARTS_WITHIN_S
        while self.health() is None:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def health(self) -> dict[str, Any] | None:
        """What /healthz says; None where nobody answers."""
        try:
            return dict(httpx2.get(f"{self.url}/healthz", timeout=5).json())
        except (httpx2.HTTPError, ValueError):
            return None

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_media(self) -> bool:
        """kill -9 of its media process; false if there is none just now."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = [int(pid) for path in children.parent.parent.glob("*/children") for pid in path.read_text().split()]
        for pid in found:
            if b"engine.media.process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int | None:
        """SIGTERM; the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def logged(self, *words: str) -> list[str]:
        """The lines of its log that hold one of these words."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [line for line in lines if any(word in line for word in words)]


@dataclass(slots=True)
class Account:
    """An account and what it got."""

    number: int
    key: str
    record: int = 0
    placed: dict[int, str] = field(default_factory=dict)  # api-call -> phone


class Orderer:
    """Posts until it is answered, at whichever node."""

    def __init__(self, nodes: list[Node], seed: int) -> None:
        self._urls = [node.url for node in nodes]
        random.Random(seed).shuffle(self._urls)  # the first is asked, until it does not answer
        self._http = httpx2.Client(timeout=4)
        self.repeated = 0  # answers that were given again
        self.broken = 0  # tries that brought none

    def post(self, method: str, key: str | None = None, **sent: Any) -> dict[str, Any]:
        """`data` of a 200, or the refusal's; repeated while nobody answers, or the store cannot be used."""
        headers = {"idempotency-key": key} if key else {}
        until = time.monotonic() + 120
        while time.monotonic() < until:
            url = f"{self._urls[0]}/{method if '/' in method else f'apiCalls/{method}'}"
            try:
                answer = self._http.post(url, headers=headers, **sent)
                if answer.status_code not in (500, 503):
                    self.repeated += "idempotent-replay" in answer.headers
                    return dict(answer.json()) | {"code": answer.status_code}
            except (httpx2.HTTPError, ValueError):
                pass
            self.broken += 1
            self._urls.append(self._urls.pop(0))
            time.sleep(0.05)
        raise AssertionError(f"{method} was not answered within 120 s")

    def close(self) -> None:
        self._http.close()


def account(store: str, folder: Path, name: str, balance: Decimal) -> Account:
    """A new account, moderated; makes the tables if they are not there."""
    database = Database(store, folder)
    try:
        database.migrate()
        with database.write() as db:
            made, key = accounts.add(db, database.seal, name, balance=balance, moderated=True, now=time.time())
        return Account(made.id, key)
    finally:
        database.dispose()


def upload(orderer: Orderer, account: Account, content: bytes) -> None:
    """Give the account a clip."""
    told = orderer.post("createRecord", data={"apiKey": account.key}, files={"file": ("c.wav", content)})
    account.record = int(told["data"]["id"])


def in_threads(works: Iterable[Callable[[], None]]) -> None:
    """Do them at once; raises what the first broken one raised."""
    broken: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]


class Inbox:
    """A receiver of webhooks that writes down everything; some it refuses at first, and some answers come late."""

    def __init__(self, seed: int) -> None:
        self.came: list[tuple[str, str, int]] = []  # webhook-id, kind, api-call; those answered by 2xx
        self.refused: set[str] = set()
        luck, lock, inbox = random.Random(seed), threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with lock:
                    chance = luck.random()
                kind = "block" if "call" in body else "end"
                number = body["call"]["apiCallId"] if kind == "block" else body["id"]
                if chance < 0.1:
                    time.sleep(chance * 5)
                name = self.headers["webhook-id"]
                with lock:
                    code = 500 if 0.1 <= chance < 0.15 and name not in inbox.refused else 204
                    if code == 204:
                        inbox.came.append((name, kind, number))
                    else:
                        inbox.refused.add(name)
                try:
                    self.send_response(code)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except ConnectionError:
                    pass

            def log_message(self, *arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:  # whoever sent it was killed
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
