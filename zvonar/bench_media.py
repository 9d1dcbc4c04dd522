"""`zvonar bench media`: the media process alone. CPU a call and packet, and how far from its time a packet leaves.

Calls are pairs that play to each other over loopback, so each sends and receives a packet every 20 ms. One more call
plays to a socket of ours, whose packets the kernel stamps as they come: that is the pacing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
import tempfile
import wave
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

from engine.clips.cache import ClipCache
from engine.clock import SystemClock
from engine.config import MediaConfig
from engine.media.plane import MediaPlane, MediaSlot
from engine.media.rtp import FRAME_MS
from engine.media.wire import Listen, Play, Remote

CLIP_S: Final = 30
WARM_UP_S: Final = 1.0
SO_TIMESTAMPNS: Final = 35  # Linux
_TIMESPEC = struct.Struct("@qq")


def media(*, calls: int, seconds: float, as_json: bool) -> int:
    """Measure without ears and with them, print it; exit status 0."""
    logging.getLogger("zvonar").setLevel(logging.ERROR)
    told = {
        "without ears": asyncio.run(measure(calls, seconds, listen=False)),
        "listening for voice": asyncio.run(measure(calls, seconds, listen=True)),
    }
    if as_json:
        print(json.dumps(told))
        return 0
    console = Console(highlight=False)
    for how, figures in told.items():
        console.print(how)
        for name, value in figures.items():
            console.print(f"  {name:<24}{value}")
    return 0


async def measure(calls: int, seconds: float, *, listen: bool) -> dict[str, float]:
    """One run: µs of CPU a call and tick, and the pacing error in ms (median and 99th percentile)."""
    plane = MediaPlane(MediaConfig(), "127.0.0.1", SystemClock(), calls=calls + 1)
    await plane.start()
    try:
        with tempfile.TemporaryDirectory() as folder, _recorder() as recorder:
            number = plane.load(ClipCache(Path(folder)).prepare(_noise(Path(folder) / "noise.wav")))
            slots = [plane.open(_nothing) for _ in range(calls)]
            for index, slot in enumerate(slots):
                _begin(slot, slots[index ^ 1 if index ^ 1 < calls else index].port, number, seconds, listen=listen)
            watched = plane.open(_nothing)
            _begin(watched, recorder.getsockname()[1], number, seconds, listen=False)
            await asyncio.sleep(WARM_UP_S)
            _arrivals(recorder)
            before = cpu_s(plane.pid)
            await asyncio.sleep(seconds)
            spent = cpu_s(plane.pid) - before
            errors = _errors_ms(_arrivals(recorder))
    finally:
        await plane.stop()
    return {
        "calls": calls,
        "us_per_call_and_tick": round(spent * 1e6 / ((calls + 1) * seconds * 1000 / FRAME_MS), 2),
        "pacing_error_p50_ms": round(float(np.percentile(errors, 50)), 3),
        "pacing_error_p99_ms": round(float(np.percentile(errors, 99)), 3),
    }


def _begin(slot: MediaSlot, port: int, clip: int, seconds: float, *, listen: bool) -> None:
    slot.send(Remote("127.0.0.1", port))
    if listen:
        slot.send(Listen(("voice",)))
    slot.send(Play(1, (clip,) * (int(seconds / CLIP_S) + 2)))


def _nothing(at: float, event: object) -> None: ...


def _noise(path: Path) -> Path:
    samples = np.random.default_rng(1).integers(-3000, 3000, CLIP_S * 8000).astype("<i2")
    with wave.open(str(path), "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(samples.tobytes())
    return path


def _recorder() -> socket.socket:
    recorder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    recorder.bind(("127.0.0.1", 0))
    recorder.setblocking(False)
    recorder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    recorder.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return recorder


def _arrivals(recorder: socket.socket) -> list[float]:
    """When each packet came, in seconds, as the kernel stamped it."""
    times: list[float] = []
    while True:
        try:
            _, ancillary, _, _ = recorder.recvmsg(2048, 64)
        except BlockingIOError:
            return times
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
        times.append(seconds + nanoseconds / 1e9)


def _errors_ms(times: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How much later than the 20 ms grid each packet came; the grid lies at the median."""
    late = (np.array(times) - times[0]) * 1000 - np.arange(len(times)) * FRAME_MS
    return np.abs(late - np.median(late))


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
