"""The media plane itself, driven as the engine drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

import numpy as np

from engine.clips.cache import ClipCache
from engine.clock import SystemClock
from engine.config import ConfigError, MediaConfig
from engine.media.plane import MediaPlane, MediaSlot, NoPorts
from engine.media.wire import Close, Closed, Digit, Faulted, Listen, Play, Remote, SlotEvent
from zvonar.bench_media.child import BenchError
from zvonar.bench_media.clip import FRAMES, PARTS, part, write_wav
from zvonar.bench_media.cpu import on_core
from zvonar.bench_media.designs import Found, Task

LONGEST_S: Final = 200  # that a call plays
BATCH: Final = 50  # calls opened at once
BATCH_S: Final = 0.02
PORT_RANGE: Final = "10000-29999"
CLOSE_S: Final = 10.0


class PlaneDesign:
    """`open` takes what the plane gives; what it refuses is told by port 0."""

    payload_type = 8

    def __init__(self, task: Task) -> None:
        self._task = task
        config = MediaConfig(ports=PORT_RANGE)
        self._plane = MediaPlane(config, "127.0.0.1", SystemClock(), calls=task.calls)
        self._slots: dict[int, MediaSlot] = {}
        self._digits = 0
        self._received = 0
        self._faults: dict[int, str] = {}  # by call: why it was refused, or given up
        self._empty = asyncio.Event()

    @property
    def pid(self) -> int:
        return self._plane.pid

    async def open(self, far_ports: Sequence[int]) -> list[int]:
        with on_core(self._task.core):
            try:
                await self._plane.start()
            except ConfigError as error:
                raise BenchError(str(error)) from error
        clips = self._clips()
        for index, far_port in enumerate(far_ports):
            self._begin(index, far_port, clips)
            if index % BATCH == BATCH - 1:
                await asyncio.sleep(BATCH_S)
        await asyncio.sleep(1)  # refusals come back as events
        return [self._slots[index].port if index in self._slots else 0 for index in range(len(far_ports))]

    def given_up(self) -> Collection[int]:
        return self._faults.keys()

    async def finish(self) -> Found:
        slots = list(self._slots.values())
        for begin in range(0, len(slots), BATCH):
            for slot in slots[begin : begin + BATCH]:
                slot.send(Close())
            await asyncio.sleep(BATCH_S)
        if self._slots:
            await asyncio.wait_for(self._empty.wait(), CLOSE_S)
        return Found(self._digits, self._received)

    async def close(self) -> None:
        await self._plane.stop()

    def _clips(self) -> list[tuple[int, ...]]:
        """What calls of each part play: from their place to the clip's end, then again and again."""
        cache, codes = ClipCache(self._task.folder), np.load(self._task.clip)
        tails = [
            self._plane.load(cache.prepare(write_wav(self._task.folder / f"part-{index}.wav", codes[part(index) :])))
            for index in range(PARTS)
        ]
        rounds = LONGEST_S * 50 // FRAMES + 1
        return [(tail, *(tails[0],) * rounds) for tail in tails]

    def _begin(self, index: int, far_port: int, clips: list[tuple[int, ...]]) -> None:
        try:
            slot = self._plane.open(partial(self._tell, index))
        except NoPorts as error:
            self._faults[index] = str(error)
            return
        self._slots[index] = slot
        slot.send(Remote("127.0.0.1", far_port))
        if self._task.hears(index):
            slot.send(Listen(("voice",)))
        slot.send(Play(1, clips[index % PARTS]))

    def _tell(self, index: int, at: float, event: SlotEvent) -> None:
        match event:
            case Digit():
                self._digits += 1
            case Closed():
                self._received += event.received
                self._gone(index)
            case Faulted():
                self._faults[index] = event.message
                self._gone(index)

    def _gone(self, index: int) -> None:
        self._slots.pop(index, None)
        if not self._slots:
            self._empty.set()
