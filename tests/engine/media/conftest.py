"""A far end of our own: a real UDP socket that keeps what came and sends what it is told."""

from __future__ import annotations

import asyncio
import struct
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from stage import Stage

from engine.clips.cache import Clip, ClipCache
from engine.clock import SystemClock
from engine.config import MediaConfig
from engine.media.plane import MediaPlane, MediaSlot, NoPorts
from engine.media.rtp import Packet, build, parse
from engine.media.wire import Close, Closed, Faulted, Remote, SlotEvent

PORTS = "21000-22998"


class FarEnd(asyncio.DatagramProtocol):
    """One address on loopback."""

    def __init__(self) -> None:
        self.came: list[Packet] = []
        self.sequence, self.timestamp = 1000, 5000

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = parse(data)
        assert packet is not None
        self.came.append(packet)

    def remote(self, **other: object) -> Remote:
        return Remote("127.0.0.1", self.port, **other)  # type: ignore[arg-type]

    def send(self, port: int, payload: bytes = b"\xd5" * 160, payload_type: int = 8, **other: object) -> None:
        packet = Packet(False, payload_type, self.sequence & 0xFFFF, self.timestamp, 77, payload)
        self.transport.sendto(build(packet._replace(**other)), ("127.0.0.1", port))  # type: ignore[arg-type]
        self.sequence, self.timestamp = self.sequence + 1, self.timestamp + 160

    def send_press(self, port: int, code: int, packets: int = 3, ends: int = 3) -> None:
        started = self.timestamp
        for number in range(packets + ends):
            payload = struct.pack("!BBH", code, 0x8A if number >= packets else 10, 160 * min(number + 1, packets))
            self.send(port, payload, 101, timestamp=started)

    @property
    def payload(self) -> bytes:
        return b"".join(packet.payload for packet in self.came)


class Caller:
    """A slot with its far end, and the events that came, which can be waited for."""

    def __init__(self, plane: MediaPlane, far_end: FarEnd) -> None:
        self.far_end = far_end
        self.events: list[SlotEvent] = []
        self.times: list[float] = []
        self._changed = asyncio.Event()
        self.slot: MediaSlot = plane.open(self._take)

    def _take(self, at: float, event: SlotEvent) -> None:
        self.events.append(event)
        self.times.append(at)
        self._changed.set()

    def of(self, *kinds: type[SlotEvent]) -> list[SlotEvent]:
        return [event for event in self.events if isinstance(event, kinds)]

    async def until(self, kind: type[SlotEvent], count: int = 1, within_s: float = 20) -> list[SlotEvent]:
        async with asyncio.timeout(within_s):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)

    async def connect(self) -> None:
        """Name the far end, and wait until it hears us: what it sends before that is nobody's."""
        self.slot.send(self.far_end.remote())
        while not self.far_end.came:
            await asyncio.sleep(0.005)

    async def close(self) -> Closed:
        if not self.of(Closed, Faulted):
            self.slot.send(Close())
        (closed,) = await self.until(Closed)
        assert isinstance(closed, Closed)
        return closed


@pytest.fixture
async def plane() -> AsyncIterator[MediaPlane]:
    plane = MediaPlane(MediaConfig(ports=PORTS), "127.0.0.1", SystemClock(), calls=4)
    await plane.start()
    yield plane
    await plane.stop()


@pytest.fixture
async def far_ends() -> AsyncIterator[Callable[[], Awaitable[FarEnd]]]:
    made: list[FarEnd] = []

    async def make() -> FarEnd:
        loop = asyncio.get_running_loop()
        while True:
            _, far_end = await loop.create_datagram_endpoint(FarEnd, local_addr=("127.0.0.1", 0))
            made.append(far_end)
            if far_end.port % 2 == 0:  # on an odd one it would get the RTCP of the far end below it
                return far_end

    yield make  # type: ignore[misc]
    for far_end in made:
        far_end.transport.close()
    await asyncio.sleep(0)


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Clip]:
    cache = ClipCache(tmp_path / "clips")

    def make(samples: NDArray[np.int16], name: str = "clip.wav") -> Clip:
        with wave.open(str(tmp_path / name), "wb") as writer:
            writer.setparams((1, 2, 8000, 0, "NONE", ""))
            writer.writeframes(samples.astype("<i2").tobytes())
        return cache.prepare(tmp_path / name)

    return make


@pytest.fixture
async def plane50() -> AsyncIterator[MediaPlane]:
    plane = MediaPlane(MediaConfig(ports=PORTS), "127.0.0.1", SystemClock(), calls=50)
    await plane.start()
    yield plane
    await plane.stop()


@pytest.fixture
def callers(plane: MediaPlane, far_ends: Callable[[], Awaitable[FarEnd]]) -> Callable[..., Awaitable[Caller]]:
    """Opens slots, each with a far end; `wait` for a process that is starting."""

    async def make(of: MediaPlane = plane, wait: bool = False) -> Caller:
        far_end = await far_ends()
        async with asyncio.timeout(30):
            while True:
                try:
                    return Caller(of, far_end)
                except NoPorts:
                    if not wait:
                        raise
                await asyncio.sleep(0.05)

    return make


@pytest.fixture
async def caller(callers: Callable[..., Awaitable[Caller]]) -> Caller:
    return await callers()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)
