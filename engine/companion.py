"""A process of ours that runs beside this one, and the line to it: a Unix SEQPACKET socket. Neither end ever blocks.

Belongs to the thread of one event loop. The companion lives until it finds its end of the line closed; a signal meant
for us (a terminal's Ctrl-C, its hang-up) does not reach it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import engine

MESSAGE_BYTES: Final = 1 << 18
BUFFER_BYTES: Final = 1 << 20
LOOK_S: Final = 0.01  # so often it is asked whether one that shall end has ended


class Companion:
    """Started again after a death it is another process, with a new line. `take` gets each datagram that comes.

    `died` is called when the process is no more, unless it was stopped; what was not sent yet is forgotten.
    """

    def __init__(self, module: str, take: Callable[[bytes], None], died: Callable[[], None]) -> None:
        self._module = module
        self._take = take
        self._died = died
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._unsent: deque[bytes] = deque()

    @property
    def pid(self) -> int:
        """Of the process that runs now; 0 if none does."""
        return self._process.pid if self._process is not None else 0

    def start(self, *arguments: str, descriptors: Sequence[int] = ()) -> None:
        """Run `python -m MODULE LINE ARGUMENTS...`; it also inherits these descriptors. OSError if it cannot be run."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        ours.setblocking(False)
        root = str(Path(engine.__path__[0]).parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        with theirs:
            try:
                self._process = subprocess.Popen(
                    # -P: a folder named `engine` where the user happens to stand is not ours.
                    [sys.executable, "-P", "-m", self._module, str(theirs.fileno()), *arguments],
                    pass_fds=[theirs.fileno(), *descriptors],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        self._line = ours
        asyncio.get_running_loop().add_reader(ours, self._read)

    def send(self, datagram: bytes) -> None:
        """Send it, in order; nothing happens if no process runs."""
        if self._line is None:
            return
        self._unsent.append(datagram)
        if len(self._unsent) == 1:
            self._flush()

    async def stop(self, within_s: float) -> bool:
        """Close the line and wait for the end; False if the process had to be killed. Idempotent."""
        process, self._process = self._process, None
        self._disconnect()
        if process is None:
            return True
        for _ in range(int(within_s / LOOK_S)):
            if process.poll() is not None:
                return True
            await asyncio.sleep(LOOK_S)
        process.kill()
        process.wait()
        return False

    def _disconnect(self) -> None:
        if self._line is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._line)
            loop.remove_writer(self._line)
            self._line.close()
        self._line = None
        self._unsent.clear()

    def _flush(self) -> None:
        assert self._line is not None
        loop = asyncio.get_running_loop()
        while self._unsent:
            try:
                self._line.send(self._unsent[0])
            except BlockingIOError:
                loop.add_writer(self._line, self._flush)
                return
            except OSError:
                self._unsent.clear()  # it died; the reader learns it
                break
            self._unsent.popleft()
        loop.remove_writer(self._line)

    def _read(self) -> None:
        line = self._line
        while line is not None and line is self._line:
            try:
                datagram = line.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                datagram = b""
            if not datagram:
                self._lost()
                return
            self._take(datagram)

    def _lost(self) -> None:
        self._disconnect()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        self._died()
