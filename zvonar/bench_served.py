"""The service under `zvonar bench service`: a real `zvonar serve` in a folder of its own, and its far end."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import sys
import time
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from api.store import accounts
from api.store.database import Database
from zvonar.bench_load import BenchError
from zvonar.bench_media.cpu import cpu_s

OUTGOING = "74950000000"
BALANCE = Decimal(100_000_000)
STARTS_WITHIN_S, ENDS_WITHIN_S = 60.0, 60.0
_HOUSE = Path(__file__).parents[1]  # where the package lies; the service runs in a folder of its own


class Peer:
    """The far end: what it tells is put where somebody waits for it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._invites: dict[str, asyncio.Future[float]] = {}
        self._overs: dict[str, asyncio.Future[None]] = {}
        self.port = 0
        self.digits_ms: list[float] = []
        self.lost = 0

    def invited(self, phone: str) -> asyncio.Future[float]:
        """When the INVITE for that number came, Unix seconds; ask before it does."""
        return self._invites.setdefault(phone, asyncio.get_running_loop().create_future())

    def over(self, phone: str) -> asyncio.Future[None]:
        """Done when that call has ended; ask before it does."""
        return self._overs.setdefault(phone, asyncio.get_running_loop().create_future())

    async def listen(self) -> None:
        """Take its lines until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            match json.loads(line):
                case {"port": port}:
                    self.port = port
                case {"invite": phone, "at": at} if invited := self._invites.pop(phone, None):
                    if not invited.done():  # it waits no more
                        invited.set_result(at)
                case {"digit_ms": took_ms}:
                    self.digits_ms.append(took_ms)
                case {"lost": _}:
                    self.lost += 1
                case {"over": phone} if over := self._overs.pop(phone, None):
                    if not over.done():
                        over.set_result(None)


@dataclass(frozen=True, slots=True)
class Account:
    """One account, and the records it has."""

    key: str
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """A running service. `pid` is its process."""

    pid: int
    port: int
    store: str
    folder: Path

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the service and of its media process."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        return sum(map(cpu_s, [self.pid, *children]))

    def add_accounts(self, names: list[str], clips: list[bytes]) -> list[Account]:
        """Accounts that have these clips as records; blocks."""
        database = Database(self.store, self.folder)
        try:
            with database.write() as db:
                keys = [
                    accounts.add(db, database.seal, name, balance=BALANCE, moderated=True, now=time.time())[1]
                    for name in names
                ]
        finally:
            database.dispose()
        with httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=ENDS_WITHIN_S) as http:
            return [Account(key, tuple(_upload(http, key, clip) for clip in clips)) for key in keys]


def tone(hz: float, seconds: float) -> bytes:
    """A WAV file with a tone from its first sample on."""
    samples = np.sin(2 * np.pi * hz / 8000 * np.arange(int(seconds * 8000))) * 6000
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


@asynccontextmanager
async def far_end() -> AsyncIterator[Peer]:
    """A far end of its own, listening."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "zvonar.bench_peer", env=_environment(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    peer = Peer(process)
    listening = asyncio.create_task(peer.listen())
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not peer.port:
                if listening.done():
                    raise BenchError("the far end did not start")
                await asyncio.sleep(0.01)
        yield peer
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening


@asynccontextmanager
async def serve(folder: Path, store: str, peer: Peer) -> AsyncIterator[Served]:
    """`zvonar serve` on that store, its trunk leading to the far end. Raises BenchError."""
    config = folder / "zvonar.toml"
    config.write_text(
        f'[store]\nurl = "{store}"\nfolder = "{folder}"\n'
        '[api]\nlisten = "127.0.0.1:0"\ndrain_s = 1\n'
        f'[[trunk]]\nname = "bench"\nserver = "127.0.0.1:{peer.port}"\nnumbers = ["{OUTGOING}"]\n'
    )
    async with AsyncExitStack() as stack:
        log = stack.enter_context((folder / "service.log").open("wb"))
        if not store.startswith("sqlite"):
            migrating = await _zvonar("migrate", config, folder, stdout=log, stderr=log)
            if await migrating.wait():
                raise BenchError(f"zvonar migrate failed: {_end(folder)}")
        process = await _zvonar("serve", config, folder, stdout=asyncio.subprocess.PIPE, stderr=log)
        stack.push_async_callback(_end_of, process)
        port = await _port(process, folder)
        draining = asyncio.create_task(_drain(process))
        stack.callback(draining.cancel)
        yield Served(process.pid, port, store, folder)


async def _zvonar(command: str, config: Path, folder: Path, **streams: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "zvonar", command, "--config", str(config), cwd=folder, env=_environment(), **streams
    )


async def _port(process: asyncio.subprocess.Process, folder: Path) -> int:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            async for line in process.stdout:
                if found := re.search(rb"http://127\.0\.0\.1:(\d+)", line):
                    return int(found[1])
    except TimeoutError:
        pass
    raise BenchError(f"the service did not start: {_end(folder)}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass


async def _end_of(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _end(folder: Path) -> str:
    lines = (folder / "service.log").read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _environment() -> dict[str, str]:
    known = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": f"{_HOUSE}{os.pathsep}{known}" if known else str(_HOUSE)}


def _upload(http: httpx2.Client, key: str, clip: bytes) -> int:
    form = {"apiKey": key, "name": "bench", "source": "file"}
    reply = http.post("/apiCalls/createRecord", data=form, files={"file": ("clip.wav", clip, "audio/wav")})
    if reply.status_code != 200:
        raise BenchError(f"createRecord: answered {reply.status_code}: {reply.text[:300]}")
    return int(reply.json()["data"]["id"])
