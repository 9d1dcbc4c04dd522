"""SIPp as a peer: one process, one scenario, real datagrams on loopback.

    async with sipp("answers") as peer:              # waits for our calls on peer.port
        ...                                          # leaving: SIPp must have seen exactly what it expects
    async with sipp("calls", target=port): ...       # SIPp calls us

Scenarios are the files in `tests/peers/sipp`. `[name]` in one is filled by `keys`. SIPp comes from PATH or from
`get_sipp.sh` beside this file.
"""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCENARIOS = HERE / "sipp"
LIMIT_S = 20  # no scenario takes half as long
HOST = "127.0.0.1"


@functools.cache
def program() -> str:
    """Where SIPp is; skips, loudly, where it is not and cannot be got (never in CI)."""
    folder = Path(os.environ.get("ZVONAR_SIPP", Path.home() / ".cache" / "zvonar-sipp"))
    for place in (shutil.which("sipp"), shutil.which(folder / "bin" / "sipp")):
        if place:
            return place
    if shutil.which("apt-get"):
        done = subprocess.run([HERE / "get_sipp.sh", folder], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return str(folder / "bin" / "sipp")
        missing = f"no SIPp: {done.stderr.strip()[-300:]}"
    else:
        missing = "no SIPp and no apt here: NOTHING was tested against it"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@dataclass(slots=True)
class Sipp:
    """A running scenario."""

    port: int
    folder: Path
    running: asyncio.subprocess.Process

    @property
    def server(self) -> str:
        """HOST:PORT for a trunk."""
        return f"{HOST}:{self.port}"

    def messages(self) -> str:
        """What went over the wire so far, as SIPp saw it."""
        return "\n".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*messages.log"))

    async def verdict(self) -> None:
        """Wait for its end; AssertionError with its own words if anything was not as the scenario says."""
        output, _ = await self.running.communicate()
        if self.running.returncode != 0:
            errors = "\n".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*errors.log"))
            told = f"{errors}\n{self.messages()}\n{output.decode('utf-8', 'replace')[-500:] if not errors else ''}"
            raise AssertionError(f"SIPp ended with {self.running.returncode}\n{told[-9000:]}")


@asynccontextmanager
async def sipp(
    scenario: str, *, calls: int = 1, target: int | None = None, keys: dict[str, str] | None = None
) -> AsyncIterator[Sipp]:
    """Run a scenario for `calls` calls. With `target` SIPp calls that port, else it waits to be called."""
    port = _free_port()
    folder = Path(tempfile.mkdtemp(prefix="sipp-"))
    text = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
    for key, value in (keys or {}).items():  # not by -key: SIPp wants to read a status line before it knows one
        text = text.replace(f"[{key}]", value)
    (folder / "scenario.xml").write_text(text, "utf-8")
    words = [program(), *([f"{HOST}:{target}"] if target else []), "-sf", "scenario.xml"]
    words += ["-i", HOST, "-p", str(port), "-m", str(calls), "-nostdin", "-timeout", f"{LIMIT_S}s"]
    words += ["-timeout_error", "-trace_err", "-error_file", str(folder / "errors.log")]
    words += ["-trace_msg", "-message_file", str(folder / "messages.log"), "-r", "50", "-recv_timeout", "9000"]
    running = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env={**os.environ, "TERM": "dumb"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    peer = Sipp(port, folder, running)
    try:
        if not await _bound(port, running):
            await peer.verdict()
        yield peer
        await peer.verdict()
    finally:
        if running.returncode is None:
            running.kill()
            await running.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def _bound(port: int, running: asyncio.subprocess.Process) -> bool:
    """Wait until SIPp listens (a datagram sent earlier would be lost); false if it ended instead."""
    local = f":{port:04X} "
    for _ in range(500):
        if running.returncode is not None:
            return False
        if local in Path("/proc/net/udp").read_text():
            return True
        await asyncio.sleep(0.01)
    raise AssertionError("SIPp did not open its port within 5 s")
