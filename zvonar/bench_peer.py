"""The far end of `zvonar bench service`: `python -m zvonar.bench_peer`, a process of its own, started by the bench.

It is the trunk's other side and stands on plain sockets, so what it tells is what was on the wire: packets that come
bear the kernel's time. A number that begins with `DECLINES` is told 486; one with `TALKS` is answered, hears the tone
of its prompt, and presses 1 as often as its next digit says, each time until the other tone comes. A line of JSON on
stdout for each thing that happens:

    {"port": 40123}                       it listens
    {"invite": "79000000001", "at": ...}  the first INVITE for that number, Unix seconds
    {"digit_ms": 27.3}                    from the press's first packet to the first packet of the prompt it brought
    {"lost": "79019000001"}               no other prompt came within `PATIENCE_S`
    {"over": "79019000001"}               that call has ended

It ends when its stdin does.
"""

from __future__ import annotations

import json
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from engine.media import g711, rtp, telephone_event
from engine.media.rtp import CLOCK_HZ, FRAME_MS, FRAME_SAMPLES
from engine.sip import sdp

HOST: Final = "127.0.0.1"
DECLINES, TALKS = "7900", "7901"  # what a number begins with
MOST_PRESSES: Final = 9  # of one call: the digit behind `TALKS` in its number; a menu may nest one deeper
TONES_HZ: Final = (400, 1000)  # of the first prompt, and of every second one
PATIENCE_S: Final = 3.0
PRESS_MS, GAP_MS = 100, 60
LISTENS_S: Final = (0.3, 0.6)  # to a prompt, before the next press
SO_TIMESTAMPNS: Final = 35  # Linux
_FRAME_S: Final = FRAME_MS / 1000
_TIMESPEC = struct.Struct("@qq")
_WAVES: Final = np.exp(-2j * np.pi * np.outer(np.arange(FRAME_SAMPLES), TONES_HZ) / CLOCK_HZ)
_SILENCE: Final = bytes([g711.SILENCE[g711.Law.A]]) * FRAME_SAMPLES


def main() -> int:
    """Answer calls until stdin ends."""
    Peer().run()
    return 0


def tell(**what: Any) -> None:
    """A line for the bench."""
    print(json.dumps(what), flush=True)


def stamped() -> socket.socket:
    """A UDP socket on loopback; the kernel notes when each packet comes."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((HOST, 0))
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return opened


def arrivals(opened: socket.socket) -> Iterator[tuple[bytes, Any, float]]:
    """What has come: datagram, sender, and when, in Unix seconds."""
    while True:
        try:
            datagram, ancillary, _, sender = opened.recvmsg(4096, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
        yield datagram, sender, seconds + nanoseconds / 1e9


def tone_of(payload: bytes) -> int | None:
    """Which of `TONES_HZ` an A-law frame holds; None: neither."""
    if len(payload) != FRAME_SAMPLES:
        return None
    samples = g711.decode(np.frombuffer(payload, np.uint8), g711.Law.A).astype(np.float64)
    power = float(np.square(samples).sum())
    if power < FRAME_SAMPLES * 100**2:
        return None
    shares = np.abs(samples @ _WAVES) ** 2 / (power * FRAME_SAMPLES / 2)  # 1: it is nothing else
    best = int(shares.argmax())
    return best if shares[best] > 0.8 else None


class Talk:
    """One answered call: silence every 20 ms, and a press when a prompt has been heard for a while."""

    def __init__(self, phone: str, offer: bytes) -> None:
        self.phone = phone
        self._presses = int(phone[len(TALKS)])
        self.socket = stamped()
        port = self.socket.getsockname()[1]
        self.description, self._media = sdp.answer(offer, HOST, port, ("pcma",), session=port)
        self.next_at = time.time()
        self._press_at = float("inf")
        self._pressed_at: float | None = None
        self._pressed = 0
        self._keys: Iterator[telephone_event.Sending] | None = None
        self._began = 0  # timestamp of the press
        self._sequence, self._timestamp, self._ssrc = 1, 160, random.getrandbits(32)

    def hear(self) -> None:
        """Take what has come."""
        for datagram, _, at in arrivals(self.socket):
            packet = rtp.parse(datagram)
            if packet is None or packet.payload_type != self._media.payload_type:
                continue
            waits = self._pressed_at is not None or (not self._pressed and self._press_at == float("inf"))
            if not waits or tone_of(packet.payload) != self._pressed % 2:
                continue
            if self._pressed_at is not None:
                tell(digit_ms=round(1000 * (at - self._pressed_at), 3))
                self._pressed_at = None
            if self._pressed < self._presses:
                self._press_at = time.time() + random.uniform(*LISTENS_S)
                # Next time somewhere else in the service's 20 ms; later, for an earlier packet would be one too many.
                self.next_at += random.uniform(0, _FRAME_S)

    def turn(self, now: float) -> None:
        """Send what is due: a frame, or what stands in its place while a key is pressed."""
        if self._press_at <= now:
            self._press_at, self._began, self._pressed = float("inf"), self._timestamp, self._pressed + 1
            self._keys = telephone_event.press("1", PRESS_MS, GAP_MS)
            self._pressed_at = time.time()
        if self._pressed_at is not None and now - self._pressed_at > PATIENCE_S:
            tell(lost=self.phone)
            self._pressed_at = None
        sending = next(self._keys, None) if self._keys else None
        if sending is None:
            self._keys = None
            self._send(self._media.payload_type, self._timestamp, _SILENCE)
        else:
            for event in sending.events:
                payload = telephone_event.build(event)
                self._send(self._media.dtmf_type or 101, self._began, payload, marker=sending.marker)
        self._timestamp += FRAME_SAMPLES
        while self.next_at <= now:
            self.next_at += _FRAME_S

    def close(self) -> None:
        """The call is over."""
        self.socket.close()

    def _send(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        packet = rtp.Packet(marker, payload_type, self._sequence & 0xFFFF, timestamp, self._ssrc, payload)
        self.socket.sendto(rtp.build(packet), (self._media.host, self._media.port))
        self._sequence += 1


class Peer:
    """A user agent server (RFC 3261) of the least kind: every request is answered at once, and the same way again."""

    def __init__(self) -> None:
        self._sip = stamped()
        self._port = self._sip.getsockname()[1]
        self._talks: dict[str, Talk] = {}
        self._known: set[str] = set()  # Call-IDs

    def run(self) -> None:
        """Until stdin ends."""
        tell(port=self._port)
        while True:
            now = time.time()
            for talk in self._talks.values():
                if talk.next_at <= now:
                    talk.turn(now)
            wait = min((talk.next_at for talk in self._talks.values()), default=now + 1) - time.time()
            sockets = {talk.socket: talk for talk in self._talks.values()}
            ready, _, _ = select.select([self._sip, sys.stdin, *sockets], [], [], max(0.0, wait))
            if sys.stdin in ready:
                return
            for opened in ready:
                if opened in sockets:
                    sockets[opened].hear()
            if self._sip in ready:
                for datagram, sender, at in arrivals(self._sip):
                    self._take(datagram, sender, at)

    def _take(self, datagram: bytes, sender: Any, at: float) -> None:
        head, _, body = datagram.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, uri = first.split(" ")[:2]
        call = next(line for line in lines if line.lower().startswith("call-id:")).partition(":")[2].strip()
        if method == "INVITE":
            self._invited(uri.partition(":")[2].partition("@")[0], call, lines, body, sender, at)
        elif method != "ACK":
            self._answer("200 OK", lines, sender)
            if method == "BYE" and (talk := self._talks.pop(call, None)) is not None:
                talk.close()
                tell(over=talk.phone)

    def _invited(self, phone: str, call: str, lines: list[str], body: bytes, sender: Any, at: float) -> None:
        if call not in self._known:
            self._known.add(call)
            tell(invite=phone, at=at)
            if phone.startswith(TALKS):
                self._talks[call] = Talk(phone, body)
        if phone.startswith(DECLINES):
            self._answer("486 Busy Here", lines, sender)
        elif call in self._talks:
            self._answer("200 OK", lines, sender, self._talks[call].description)

    def _answer(self, status: str, lines: list[str], sender: Any, body: bytes = b"") -> None:
        told = [f"SIP/2.0 {status}"]
        for line in lines:
            name = line.partition(":")[0].lower()
            if name == "to" and ";tag=" not in line:
                line += ";tag=bench"
            if name in ("via", "from", "to", "call-id", "cseq"):
                told.append(line)
        if body:
            told += [f"Contact: <sip:{HOST}:{self._port}>", "Content-Type: application/sdp"]
        told.append(f"Content-Length: {len(body)}")
        self._sip.sendto("\r\n".join([*told, "", ""]).encode() + body, sender)


if __name__ == "__main__":
    sys.exit(main())
