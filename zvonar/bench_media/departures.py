"""What the far end sends: speech of a packet each 20 ms and call, spread over the 20 ms, and now and then a key."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import numpy as np

from zvonar.bench_media.arrivals import HEADER_BYTES, PACKET_BYTES
from zvonar.bench_media.clip import Frames
from zvonar.bench_media.pacing import FRAME_SAMPLES
from zvonar.bench_media.presses import DIGIT_TYPE, PACKETS, Presses

SLICES: Final = 20  # of a tick: the calls of a slice go at once
_HEADER: Final = struct.Struct("!BBHII")
_LAYOUT: Final = np.dtype(
    [("first", "u1"), ("second", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")]
)


class Departures:
    """Sends for all calls over connected sockets; `sent` counts."""

    def __init__(self, sockets: Sequence[socket.socket], speech: Frames, payload_type: int, presses: Presses) -> None:
        calls = len(sockets)
        random = np.random.default_rng()
        self._sockets = sockets
        self._presses = presses
        self._speech = speech
        self._sequence = random.integers(1 << 16, size=calls).astype(np.uint16)
        self._timestamp = random.integers(1 << 32, size=calls).astype(np.uint32)
        self._pressed_at = self._timestamp.copy()  # the timestamp of a press is that of its beginning
        self._offset = random.integers(len(speech), size=calls)
        self._outbox = np.zeros((calls, PACKET_BYTES), np.uint8)
        self._header = self._outbox[:, :HEADER_BYTES].view(_LAYOUT)[:, 0]
        self._header["first"] = 0x80
        self._header["second"] = payload_type
        self._header["ssrc"] = random.integers(1 << 32, size=calls)
        self._senders: list[Callable[[], int]] = [
            partial(each.send, row.data) for each, row in zip(sockets, self._outbox, strict=True)
        ]
        self._bounds = np.linspace(0, calls, SLICES + 1).astype(int).tolist()
        self._live = np.ones(calls, bool)
        self.sent = 0

    def leave_out(self, calls: Sequence[int]) -> None:
        """Nothing is sent for these: they did not begin."""
        for call in calls:
            self._senders[call] = _nothing
            self._live[call] = False

    @property
    def live(self) -> int:
        """How many calls are sent to."""
        return int(np.count_nonzero(self._live))

    def send(self, tick: int, part: int) -> None:
        """The packets of one slice of a tick."""
        first, last = self._bounds[part], self._bounds[part + 1]
        if first == last:
            return
        rows = slice(first, last)
        self._sequence[rows] += np.uint16(1)
        self._timestamp[rows] += np.uint32(FRAME_SAMPLES)
        self._header["sequence"][rows] = self._sequence[rows]
        self._header["timestamp"][rows] = self._timestamp[rows]
        self._outbox[rows, HEADER_BYTES:] = self._speech[(self._offset[rows] + tick) % len(self._speech)]
        ages = self._presses.ages(first, last, tick)
        pressing = np.flatnonzero((ages >= 0) & (ages < PACKETS) & self._live[rows])
        senders = self._senders[first:last]
        for index in pressing.tolist():
            senders[index] = partial(self._sockets[first + index].send, self._key(first + index, int(ages[index])))
        for send in senders:
            try:
                send()
            except OSError:  # an ICMP refusal told, and our packet not sent: once more
                with suppress(OSError):
                    send()
        self.sent += int(np.count_nonzero(self._live[rows]))

    def _key(self, call: int, age: int) -> bytes:
        if age == 0:
            self._pressed_at[call] = self._timestamp[call]
        second = DIGIT_TYPE | (0x80 if age == 0 else 0)
        head = _HEADER.pack(0x80, second, self._sequence[call], self._pressed_at[call], int(self._header["ssrc"][call]))
        return head + self._presses.event(call, age)


def _nothing() -> int:
    return 0
