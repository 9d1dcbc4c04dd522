"""The floor: the same sockets at the same deadlines, a send and a receive each, and nothing else.

`python -m zvonar.bench_media.peers.floor SETTINGS`. Every call sends the same ready packet, which changes from tick to
tick as RTP does; what comes is read and left. No Python that carries calls can do with less.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from zvonar.bench_media.cpu import ask_for_fifo
from zvonar.bench_media.peers.packets import packets
from zvonar.bench_media.peers.seat import raise_limit, say

FRAME_S: Final = 0.020
Act = Callable[[], int]


def main(arguments: list[str]) -> int:
    """Carry the calls until the standard input ends; exit status 0."""
    raise_limit()
    ask_for_fifo()
    settings: dict[str, Any] = json.loads(arguments[0])
    sockets = [_connected(port) for port in settings["far_ports"]]
    say({"ports": [each.getsockname()[1] for each in sockets]})
    buffer = memoryview(bytearray(2048))
    phases = settings["phases"]
    senders = [[each.send for each in sockets[phase::phases]] for phase in range(phases)]
    receivers: list[list[Act]] = [
        [partial(each.recv_into, buffer) for each in sockets[phase::phases]] for phase in range(phases)
    ]
    ready = packets(np.load(settings["clip"]), settings["payload_type"])
    gc.collect()
    gc.freeze()
    gc.disable()
    origin, turn, received = time.monotonic(), 0, 0
    while True:
        deadline = origin + turn * FRAME_S / phases
        if select.select([sys.stdin], [], [], max(0.0, deadline - time.monotonic()))[0]:
            break
        if time.monotonic() - deadline > FRAME_S:  # as the plane does: no bursts after a stall
            origin = time.monotonic() - turn * FRAME_S / phases
        packet = ready[turn // phases % len(ready)]
        for send in senders[turn % phases]:
            try:  # noqa: SIM105 - a with statement costs too much here
                send(packet)
            except OSError:
                pass
        for receive in receivers[turn % phases]:
            try:
                receive()
            except BlockingIOError:
                pass
            else:
                received += 1
        turn += 1
    say({"digits": None, "received": received})
    return 0


def _connected(port: int) -> socket.socket:
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.connect(("127.0.0.1", port))
    connected.setblocking(False)
    return connected


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
