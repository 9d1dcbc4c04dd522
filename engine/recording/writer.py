"""The writer process: `python -m engine.recording.writer CONTROL LINE RING`, started by `engine.recording.recorder`.

Three descriptors: the control side's socket, the media process's, and the memory of the frames. One thread; while a
disk lets it wait, frames wait in the memory. It runs until the control side goes, and finishes what it has then.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Final

from engine.media.wire import Envelope, Recorded
from engine.media.wire import pack as pack_event
from engine.recording import notice, order
from engine.recording.ring import Ring
from engine.recording.studio import Studio

MESSAGE_BYTES: Final = 1 << 18
REST: Final = 10  # times what the last work took, so that many recordings are written in few pieces ...
REST_S: Final = 0.25  # ... and at most


def main(arguments: list[str]) -> int:
    """Run until the control side goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # dup: select takes low numbers only.
    control, line = (socket.socket(fileno=os.dup(int(argument))) for argument in arguments[:2])
    for argument in arguments[:2]:
        os.close(int(argument))

    def tell(row: int, generation: int, recorded: Recorded) -> None:
        with contextlib.suppress(OSError):  # it has gone, and the next `recv` says so
            control.send(pack_event(Envelope(row, generation, time.time(), recorded)))

    studio = Studio(Ring(int(arguments[2])), tell)
    goes_on = True
    while goes_on:
        select.select([control, line], [], [])
        begun = time.monotonic()
        datagrams = list(_datagrams(control))
        goes_on = b"" not in datagrams
        orders = [order.unpack(datagram) for datagram in datagrams if datagram]
        for one in orders:
            if isinstance(one, order.Recover):  # it may have its beginning in the line still
                studio.recover(one)
        # What a media process said that has died since is there: it is forsaken after that.
        studio.take([notice.unpack(datagram) for datagram in _datagrams(line) if datagram])
        for one in orders:
            if isinstance(one, order.Forsake):
                studio.forsake(one)
        time.sleep(min(REST * (time.monotonic() - begun), REST_S))
    studio.close()
    return 0


def _datagrams(connection: socket.socket) -> Iterator[bytes]:
    """Those that are there; an empty one is the other end's end."""
    while True:
        try:
            datagram = connection.recv(MESSAGE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            datagram = b""
        yield datagram
        if not datagram:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
