"""The media process's end of the boundary: a Unix SEQPACKET socket. Never blocks; what does not fit waits here."""

from __future__ import annotations

import select
import socket
from collections import deque

from engine.media.wire import Envelope, pack, unpack

COMMANDS_AT_ONCE = 64
MESSAGE_BYTES = 1 << 18


class Gone(Exception):
    """The control side has closed, or died."""


class Control:
    """Reads commands, sends events. Used by the media thread only."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unsent: deque[bytes] = deque()
        connection.setblocking(False)

    def emit(self, envelope: Envelope) -> None:
        """Send an event, in order."""
        self._unsent.append(pack(envelope))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the control side reads. Raises Gone."""
        while self._unsent:
            try:
                self._connection.send(self._unsent[0])
            except BlockingIOError:
                return
            except OSError as error:
                raise Gone from error
            self._unsent.popleft()

    def wait(self, seconds: float) -> bool:
        """Wait for a command, at most so long."""
        return bool(select.select([self._connection], [], [], max(0.0, seconds))[0])

    def read(self) -> list[Envelope]:
        """The commands that are there, a few at most. Raises Gone, and ValueError for what is no command."""
        commands = []
        for _ in range(COMMANDS_AT_ONCE):
            try:
                datagram = self._connection.recv(MESSAGE_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                raise Gone from error
            if not datagram:
                raise Gone
            commands.append(unpack(datagram))
        return commands
