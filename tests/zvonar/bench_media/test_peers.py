"""The peers carry a call: what they play is the clip, and they find a key. Real processes, all at once."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zvonar.bench_media import clip
from zvonar.bench_media.arrivals import Arrivals
from zvonar.bench_media.child import BenchError, Child
from zvonar.bench_media.cpu import cores
from zvonar.bench_media.peers.caller import Caller
from zvonar.bench_media.presses import DIGIT_TYPE

pytestmark = pytest.mark.anyio

PACKETS = 10
WITHIN_S = 30.0
PRESS = [
    struct.pack("!BBHIIBBH", 0x80, DIGIT_TYPE | (0x80 if number == 0 else 0), number, 1000, 7, 5, 0x0A, 160)
    for number in range(3)
]


async def found(module: str, payload_type: int, path: Path) -> dict[str, Any]:
    """Let the peer play to us until ten packets have come, press a key, and let it finish."""
    ours = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in ours:
        each.bind(("127.0.0.1", 0))
    settings = {
        "far_ports": [each.getsockname()[1] for each in ours],
        "clip": str(path),
        "phases": 1,
        "payload_type": payload_type,
        "heard": [True, False],
    }
    arrivals = Arrivals(ours, clip.frames(), payload_type)
    child = await Child.start(f"peers.{module}", settings, cores().measured)
    try:
        for each, port in zip(ours, (await child.told())["ports"], strict=True):
            each.connect(("127.0.0.1", port))
            for packet in PRESS:
                each.send(packet)
        deadline = time.monotonic() + WITHIN_S
        while arrivals.packets(0, 1 << 62).call.size < 2 * PACKETS and time.monotonic() < deadline:
            arrivals.read(0, 2)
            await asyncio.sleep(0.01)
        came = arrivals.packets(0, 1 << 62)
        told = await child.ask({"finish": True})
    finally:
        await child.stop()
        for each in ours:
            each.close()
    return {"wrong": arrivals.wrong, "calls": set(came.call.tolist()), "digits": told["digits"]}


async def test_each_plays_the_clip_and_finds_the_key(tmp_path: Path) -> None:
    path = tmp_path / "clip.npy"
    np.save(path, clip.frames())
    peers = [("floor", 8), ("coroutines", 8), ("pyvoip", 0)]
    told = await asyncio.gather(*(found(module, payload_type, path) for module, payload_type in peers))
    good = {"wrong": 0, "calls": {0, 1}}
    assert told == [good | {"digits": None}, good | {"digits": 2}, good | {"digits": 2}]


async def test_a_peer_that_ends_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    child = await Child.start("peers.floor", {}, cores().measured)
    with pytest.raises(BenchError, match=r"peers\.floor ended by itself; its error is above"):
        await child.told()
    await child.stop()
    assert "KeyError" in capfd.readouterr().err


class Callee(asyncio.DatagramProtocol):
    """Answers calls to 1, once it was asked twice; is busy for all others."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        head, _, body = data.decode().partition("\r\n\r\n")
        method, target, _ = head.split(" ", 2)
        number = target.removeprefix("sip:").split("@")[0]
        self.seen.append(f"{method} {number}")
        kept = [line for line in head.split("\r\n") if line.startswith(("Via", "From", "Call-ID", "CSeq"))]
        to = f"To: <sip:{number}@127.0.0.1>;tag=t"
        if method != "INVITE":
            return
        self._transport.sendto("\r\n".join(["SIP/2.0 100 Trying", *kept, to, "", ""]).encode(), addr)
        if number != "1":
            self._transport.sendto("\r\n".join(["SIP/2.0 486 Busy Here", *kept, to, "", ""]).encode(), addr)
        elif self.seen.count("INVITE 1") == 2:
            answer = ["SIP/2.0 200 OK", *kept, to, "Contact: <sip:one@127.0.0.1>", "", "v=0", body.split("\r\n")[5], ""]
            self._transport.sendto("\r\n".join(answer).encode(), addr)


async def test_the_caller_asks_again_takes_the_answer_and_acknowledges() -> None:
    transport, callee = await asyncio.get_running_loop().create_datagram_endpoint(Callee, local_addr=("127.0.0.1", 0))
    caller = await Caller.towards(transport.get_extra_info("sockname")[1])
    assert await caller.place(["1", "2"], [40000, 40002]) == [40000, 0]
    async with asyncio.timeout(WITHIN_S):
        while sum(seen.startswith("ACK") for seen in callee.seen) < 2:
            await asyncio.sleep(0.01)
    assert sorted(callee.seen) == ["ACK 2", "ACK one", "INVITE 1", "INVITE 1", "INVITE 2"]
    caller.close()
    transport.close()
