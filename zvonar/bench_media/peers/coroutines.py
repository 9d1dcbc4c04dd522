"""asyncio as one would write it: for each call a DatagramProtocol that reads, and a task that sends and sleeps.

`python -m zvonar.bench_media.peers.coroutines SETTINGS`. Packets are made and read by the same functions that the plane
uses for a single packet, keys are known by the same rules, and the same share of the calls is heard by the same
detector. Deadlines are absolute, and it asks for real-time scheduling like the plane.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
from functools import partial
from typing import Any, Final, cast

import numpy as np

from detection.level import energies
from engine.media.g711 import Law, decode
from engine.media.rtp import FRAME_SAMPLES, Packet, build, parse
from engine.media.telephone_event import Presses
from engine.media.telephone_event import parse as parse_event
from zvonar.bench_media.clip import part
from zvonar.bench_media.cpu import ask_for_fifo
from zvonar.bench_media.peers.ear import Ear
from zvonar.bench_media.peers.seat import raise_limit, say
from zvonar.bench_media.presses import DIGIT_TYPE

FRAME_S: Final = 0.020


class Call(asyncio.DatagramProtocol):
    """One call."""

    def __init__(
        self, payloads: list[bytes], energies: list[int], begin: int, payload_type: int, ear: Ear | None
    ) -> None:
        self._payloads = payloads
        self._energies = energies
        self._begin = begin
        self._payload_type = payload_type
        self._ear = ear
        self._presses = Presses()
        self._transport: asyncio.DatagramTransport | None = None
        self.received = 0
        self.bad = 0
        self.digits = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    async def send(self) -> None:
        """Play the clip again and again, until cancelled."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        sequence, timestamp, ssrc = random.getrandbits(16), random.getrandbits(32), random.getrandbits(32)
        deadline = loop.time() + random.uniform(0, FRAME_S)
        cursor = self._begin
        while True:
            deadline += FRAME_S
            await asyncio.sleep(deadline - loop.time())
            packet = Packet(False, self._payload_type, sequence, timestamp, ssrc, self._payloads[cursor])
            self._transport.sendto(build(packet))
            if self._ear is not None:
                self._ear.sent(self._energies[cursor])
            sequence = (sequence + 1) & 0xFFFF
            timestamp = (timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
            cursor = (cursor + 1) % len(self._payloads)

    def datagram_received(self, data: bytes, addr: object) -> None:
        packet = parse(data)
        if packet is None:
            self.bad += 1
            return
        self.received += 1
        if packet.payload_type == DIGIT_TYPE:
            event = parse_event(packet.payload)
            if event and self._presses.take(packet.ssrc, packet.timestamp, packet.marker, event):
                self.digits += 1
        elif self._ear is not None:
            self._ear.hear(decode(np.frombuffer(packet.payload, np.uint8), Law.A))

    def error_received(self, exc: Exception) -> None:
        """A refusal told by ICMP: the far end is not there yet, or no more."""


async def carry(settings: dict[str, Any]) -> None:
    """Until a line comes, or the end of the input."""
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
    senders = [loop.create_task(call.send()) for call in calls]
    say({"ports": ports})
    await over
    for sender in senders:
        sender.cancel()
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
