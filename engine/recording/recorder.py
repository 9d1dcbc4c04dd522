"""The control side of recording: starts the writer when it is first wanted, and tells each call what became of its own.

Belongs to the thread of one event loop. Each recording that was begun gets exactly one `Recorded`, from the writer or,
where that dies, from the one that is started in its place. A stopped one tells nothing more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import engine
from engine.media.wire import Recorded, Saved, unpack
from engine.recording import ring
from engine.recording.order import Forsake, Order, Recover, pack

STOP_S: Final = 10.0  # for a slow disk to take what waits
YOUNG_S: Final = 5.0  # where a second writer dies so young, none is started before it is wanted
MESSAGE_BYTES: Final = 1 << 18
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
        self._process: subprocess.Popen[bytes] | None = None
        self._replaced_at = -YOUNG_S  # when a writer was started in the place of a dead one
        self._connection: socket.socket | None = None
        self._unsent: deque[bytes] = deque()
        self._begun: dict[tuple[int, int], _Begun] = {}

    @property
    def descriptors(self) -> tuple[int, int]:
        """What a media process is given: its end of the socket, and the memory."""
        return self._media_end.fileno(), self._ring

    @property
    def pid(self) -> int:
        """Of the writer; 0 if none runs."""
        return self._process.pid if self._process is not None else 0

    def begin(self, row: int, generation: int, path: str, handler: Handler) -> None:
        """The media process is about to be told to record; `handler(at, recorded)` is called in the loop."""
        self._begun[row, generation] = _Begun(path, self._now(), handler)
        if self._process is None and not self._spawn():
            asyncio.get_running_loop().call_soon(self._fail)

    def media_died(self) -> None:
        """Nobody goes on with what was begun."""
        for row, generation in self._begun:
            self._send(Forsake(row, generation, MEDIA_DIED))

    async def stop(self) -> None:
        """The writer finishes what it has, and ends. Idempotent."""
        process, self._process = self._process, None
        self._disconnect()
        if self._ring >= 0:
            self._media_end.close()
            self._writer_end.close()
            os.close(self._ring)
            self._ring = -1
        if process is None:
            return
        for _ in range(int(STOP_S / 0.01)):
            if process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        _log.error("recordings: the disk does not take the rest within %.0f s; it is lost", STOP_S)
        process.kill()
        process.wait()

    # --- the process ------------------------------------------------------------------------------------

    def _spawn(self) -> bool:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        ours.setblocking(False)
        root = str(Path(engine.__path__[0]).parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        descriptors = [theirs.fileno(), self._writer_end.fileno(), self._ring]
        # -P: a folder named `engine` where the user happens to stand is not ours.
        command = [sys.executable, "-P", "-m", "engine.recording.writer", *map(str, descriptors)]
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command,
                    pass_fds=descriptors,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                    start_new_session=True,  # a terminal's Ctrl-C and hang-up are the control side's affair
                )
            except OSError as error:
                ours.close()
                _log.error("the writer of recordings cannot be started: %s", error)
                return False
        self._connection = ours
        asyncio.get_running_loop().add_reader(ours, self._read)
        return True

    def _disconnect(self) -> None:
        if self._connection is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._connection)
            loop.remove_writer(self._connection)
            self._connection.close()
        self._connection = None
        self._unsent.clear()

    def _died(self) -> None:
        self._disconnect()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
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
        if self._connection is not None:
            self._unsent.append(pack(order))
            if len(self._unsent) == 1:
                self._flush()

    def _flush(self) -> None:
        assert self._connection is not None
        loop = asyncio.get_running_loop()
        while self._unsent:
            try:
                self._connection.send(self._unsent[0])
            except BlockingIOError:
                loop.add_writer(self._connection, self._flush)
                return
            except OSError:
                self._unsent.clear()  # it died; the reader learns it
                break
            self._unsent.popleft()
        loop.remove_writer(self._connection)

    def _read(self) -> None:
        connection = self._connection
        while connection is not None and connection is self._connection:
            try:
                datagram = connection.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                datagram = b""
            if not datagram:
                self._died()
                return
            row, generation, at, recorded = unpack(datagram)
            assert isinstance(recorded, Recorded)
            self._tell((row, generation), at, recorded)

    def _tell(self, key: tuple[int, int], at: float, recorded: Recorded) -> None:
        begun = self._begun.pop(key, None)
        if begun is not None:
            begun.handler(at, recorded)
