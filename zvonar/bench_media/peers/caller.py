"""Just enough SIP (RFC 3261) to place calls to a peer on loopback: INVITE, sent again until it is answered, and ACK."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final, cast

AT_ONCE: Final = 20  # calls that wait for their answer
AGAIN_S: Final = 1.0
ANSWER_S: Final = 20.0
DIGIT_TYPE: Final = 101
_HEAD: Final = re.compile(rb"SIP/2\.0 (\d{3}).*?\r\nCall-ID: (\d+)-zvonar-bench", re.S | re.I)
_TO: Final = re.compile(rb"^To: (.*)\r$", re.M | re.I)
_CONTACT: Final = re.compile(rb"^Contact: <(.*?)>", re.M | re.I)
_AUDIO: Final = re.compile(rb"^m=audio (\d+) ", re.M)


class Caller(asyncio.DatagramProtocol):
    """Places calls, one for each port of ours at which its RTP is expected."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._port = 0
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._targets: dict[int, str] = {}

    @classmethod
    async def towards(cls, port: int) -> Caller:
        """Calls will go to this port of loopback."""
        _, caller = await asyncio.get_running_loop().create_datagram_endpoint(cls, remote_addr=("127.0.0.1", port))
        return caller

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port = transport.get_extra_info("sockname")[1]

    async def place(self, numbers: Sequence[str], rtp_ports: Sequence[int]) -> list[int]:
        """Call these numbers; the ports to which our RTP goes, 0 where a call was refused or never answered."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> int:
            async with gate:
                return await self._call(index, numbers[index], rtp_ports[index])

        return list(await asyncio.gather(*map(one, range(len(numbers)))))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def _call(self, index: int, number: str, rtp_port: int) -> int:
        answered = self._waiting[index] = asyncio.get_running_loop().create_future()
        self._targets[index] = target = f"sip:{number}@127.0.0.1"
        for _ in range(round(ANSWER_S / AGAIN_S)):
            self._send(self._request("INVITE", index, target, f"<{target}>", "invite", rtp_port))
            done, _ = await asyncio.wait([answered], timeout=AGAIN_S)
            if done:
                return int(answered.result())
        return 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        head = _HEAD.match(data)
        if head is None:
            return
        code, index = int(head[1]), int(head[2])
        if code < 200:
            return
        to, contact, audio = _TO.search(data), _CONTACT.search(data), _AUDIO.search(data)
        to_text = to[1].decode() if to else ""
        if code < 300 and contact:
            self._send(self._request("ACK", index, contact[1].decode(), to_text, "ack"))
        else:  # this one belongs to the transaction of the INVITE (section 17.1.1.3)
            self._send(self._request("ACK", index, self._targets[index], to_text, "invite"))
        answered = self._waiting[index]
        if not answered.done():
            answered.set_result(int(audio[1]) if code < 300 and audio else 0)

    def error_received(self, exc: Exception) -> None:
        """The peer is not there (any more): its calls are not answered."""

    def _send(self, text: str) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode())

    def _request(self, method: str, index: int, target: str, to: str, branch: str, rtp_port: int | None = None) -> str:
        body = "" if rtp_port is None else _sdp(rtp_port)
        lines = [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};rport;branch=z9hG4bK{index}-{branch}",
            "Max-Forwards: 70",
            f"From: <sip:bench@127.0.0.1>;tag={index}",
            f"To: {to}",
            f"Call-ID: {index}-zvonar-bench",
            f"CSeq: 1 {method}",
            f"Contact: <sip:bench@127.0.0.1:{self._port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + body


def _sdp(rtp_port: int) -> str:
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
        f"m=audio {rtp_port} RTP/AVP 8 {DIGIT_TYPE}",
        "a=rtpmap:8 PCMA/8000", f"a=rtpmap:{DIGIT_TYPE} telephone-event/8000", f"a=fmtp:{DIGIT_TYPE} 0-15",
        "a=ptime:20", "a=sendrecv",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"
