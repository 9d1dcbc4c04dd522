"""The control side of recording: starts the writer when it is first wanted, and tells each call what became of its own.

Belongs to the thread of one event loop. Each recording that was begun gets exactly one `Recorded`, from the writer or,
where that dies, from the one that is started in its place. A stopped one tells nothing more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.companion import Companion
from engine.media.wire import Recorded, Saved, unpack
from engine.recording import ring
from engine.recording.order import Forsake, Order, Recover, pack

STOP_S: Final = 10.0  # for a slow disk to take what waits
YOUNG_S: Final = 5.0  # where a second writer dies so young, none is started before it is wanted
BUFFER_BYTES: Final = 1 << 20
MEDIA_DIED: Final = "the media process died"
WRITER_DIED: Final = "the process that writes recordings died"

Handler = Callable[[float, Recorded], None]

_log = logging.getLogger("zvonar.recording")


@dataclass(frozen=True, slots=True)
class _Begun:
    path: str
    at: float
    handler: Handler


class Recorder:
    """`now` is Unix seconds. Memory and socket exist from the beginning, so what is recorded waits for the writer."""

    def __init__(self, slots: int, now: Callable[[], float]) -> None:
        self._now = now
        self._ring = ring.create(slots)
        self._media_end, self._writer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._media_end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        self._process = Companion("engine.recording.writer", self._take, self._died)
        self._replaced_at = -YOUNG_S  # when a writer was started in the place of a dead one
        self._begun: dict[tuple[int, int], _Begun] = {}

    @property
    def descriptors(self) -> tuple[int, int]:
        """What a media process is given: its end of the socket, and the memory."""
        return self._media_end.fileno(), self._ring

    @property
    def pid(self) -> int:
        """Of the writer; 0 if none runs."""
        return self._process.pid

    def begin(self, row: int, generation: int, path: str, handler: Handler) -> None:
        """The media process is about to be told to record; `handler(at, recorded)` is called in the loop."""
        self._begun[row, generation] = _Begun(path, self._now(), handler)
        if not self._process.pid and not self._spawn():
            asyncio.get_running_loop().call_soon(self._fail)

    def media_died(self) -> None:
        """Nobody goes on with what was begun."""
        for row, generation in self._begun:
            self._send(Forsake(row, generation, MEDIA_DIED))

    async def stop(self) -> None:
        """The writer finishes what it has, and ends. Idempotent."""
        if self._ring >= 0:
            self._media_end.close()
            self._writer_end.close()
            os.close(self._ring)
            self._ring = -1
        if not await self._process.stop(STOP_S):
            _log.error("recordings: the disk does not take the rest within %.0f s; it is lost", STOP_S)

    # --- the process ------------------------------------------------------------------------------------

    def _spawn(self) -> bool:
        descriptors = [self._writer_end.fileno(), self._ring]
        try:
            self._process.start(*map(str, descriptors), descriptors=descriptors)
        except OSError as error:
            _log.error("the writer of recordings cannot be started: %s", error)
            return False
        return True

    def _died(self) -> None:
        _log.error("the writer of recordings died, %d are incomplete", len(self._begun))
        young = self._now() - self._replaced_at < YOUNG_S
        if not self._begun:
            return
        if young or not self._spawn():
            self._fail()
            return
        self._replaced_at = self._now()
        for (row, generation), begun in self._begun.items():
            self._send(Recover(row, generation, begun.path, begun.at, WRITER_DIED))

    def _fail(self) -> None:
        for key, begun in list(self._begun.items()):
            self._tell(key, self._now(), Recorded(begun.path, 0, Saved.FAILED.value, WRITER_DIED, begun.at))

    # --- messages ---------------------------------------------------------------------------------------

    def _send(self, order: Order) -> None:
        self._process.send(pack(order))

    def _take(self, datagram: bytes) -> None:
        row, generation, at, recorded = unpack(datagram)
        assert isinstance(recorded, Recorded)
        self._tell((row, generation), at, recorded)

    def _tell(self, key: tuple[int, int], at: float, recorded: Recorded) -> None:
        begun = self._begun.pop(key, None)
        if begun is not None:
            begun.handler(at, recorded)
