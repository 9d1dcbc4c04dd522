"""asyncio as one would write it: a DatagramProtocol a call, paced by the loop's timers, each at its own deadlines.

`python -m zvonar.bench_media.peers.coroutines SETTINGS`. It makes a header and sends, reads headers, knows keys by
their timestamp (RFC 4733), hears the same share of the calls with the same detector as the plane, and counts. It asks
for real-time scheduling like the plane.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import struct
import sys
from functools import partial
from typing import Any, Final, cast

import numpy as np

from detection.level import energies
from engine.media.g711 import Law, decode
from zvonar.bench_media.clip import part
from zvonar.bench_media.cpu import ask_for_fifo
from zvonar.bench_media.pacing import FRAME_SAMPLES
from zvonar.bench_media.peers.ear import Ear
from zvonar.bench_media.peers.seat import raise_limit, say
from zvonar.bench_media.presses import DIGIT_TYPE

FRAME_S: Final = 0.020
HEADER: Final = struct.Struct("!BBHII")


class Call(asyncio.DatagramProtocol):
    """One call."""

    def __init__(
        self, payloads: list[bytes], energies: list[int], begin: int, payload_type: int, ear: Ear | None
    ) -> None:
        self._payloads = payloads
        self._energies = energies
        self._ear = ear
        self._cursor = begin
        self._payload_type = payload_type
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._ssrc = random.getrandbits(32)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._deadline = 0.0
        self._last: tuple[int, int] | None = None
        self.received = 0
        self.bad = 0
        self.digits = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._deadline = self._loop.time() + random.uniform(FRAME_S, 2 * FRAME_S)
        self._loop.call_at(self._deadline, self._send)

    def _send(self) -> None:
        assert self._transport is not None
        header = HEADER.pack(0x80, self._payload_type, self._sequence, self._timestamp, self._ssrc)
        self._transport.sendto(header + self._payloads[self._cursor])
        if self._ear is not None:
            self._ear.sent(self._energies[self._cursor])
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        self._cursor = (self._cursor + 1) % len(self._payloads)
        self._deadline += FRAME_S
        self._loop.call_at(self._deadline, self._send)

    def datagram_received(self, data: bytes, addr: object) -> None:
        if len(data) < HEADER.size or data[0] & 0xC0 != 0x80:
            self.bad += 1
            return
        _, second, _, timestamp, ssrc = HEADER.unpack_from(data)
        self.received += 1
        if second & 0x7F == DIGIT_TYPE:
            if (ssrc, timestamp) != self._last:
                self._last = (ssrc, timestamp)
                self.digits += 1
        elif self._ear is not None:
            self._ear.hear(decode(np.frombuffer(data, np.uint8, offset=HEADER.size), Law.A))

    def error_received(self, exc: Exception) -> None:
        """A refusal told by ICMP: the far end is not there yet, or no more."""


async def carry(settings: dict[str, Any]) -> None:
    """Until the standard input ends."""
    loop = asyncio.get_running_loop()
    clip = np.load(settings["clip"])
    payloads = [frame.tobytes() for frame in clip]
    loud = energies(decode(clip, Law.A)).tolist()
    calls, ports = [], []
    for index, (far_port, heard) in enumerate(zip(settings["far_ports"], settings["heard"], strict=True)):
        make = partial(Call, payloads, loud, part(index), settings["payload_type"], Ear() if heard else None)
        transport, call = await loop.create_datagram_endpoint(make, remote_addr=("127.0.0.1", far_port))
        calls.append(call)
        ports.append(transport.get_extra_info("sockname")[1])
    gc.collect()
    gc.freeze()
    over: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sys.stdin, _settle, over)
    say({"ports": ports})
    await over
    say({"digits": sum(call.digits for call in calls), "received": sum(call.received for call in calls)})


def _settle(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def main(arguments: list[str]) -> int:
    """Carry the calls; exit status 0."""
    raise_limit()
    ask_for_fifo()
    asyncio.run(carry(json.loads(arguments[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
