"""What comes to the far end: many packets of a socket at once, each with the kernel's time, every byte looked at.

The standard library has no recvmmsg(2), and one call a packet would cost the far end more than the plane has to spend.
The messages are rows of arrays here, which the kernel fills in. Linux on 64 bits.
"""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zvonar.bench_media.clip import KEY_BYTES, Frames
from zvonar.bench_media.pacing import Packets

SO_TIMESTAMPNS: Final = 35
SO_MEMINFO: Final = 55
MEMINFO_DROPS: Final = 8  # which of its words counts what the queue had no room for
MSG_DONTWAIT: Final = 64
AT_ONCE: Final = 16  # packets of one socket
ROWS: Final = 4096
HEADER_BYTES: Final = 12
PACKET_BYTES: Final = 172
ROW_BYTES: Final = 256
CONTROL_BYTES: Final = 32  # one SCM_TIMESTAMPNS: its head of 16 bytes, seconds, nanoseconds

# struct mmsghdr and struct iovec as x86-64 and arm64 have them
MESSAGE: Final = np.dtype(
    {
        "names": ["iov", "iovlen", "control", "controllen", "length"],
        "formats": ["u8", "u8", "u8", "u8", "u4"],
        "offsets": [16, 24, 32, 40, 56],
        "itemsize": 64,
    }
)
IOV: Final = np.dtype([("base", "u8"), ("length", "u8")])


class Arrivals:
    """Reads for all calls. `begin` opens a window; `wrong` counts what is not the clip's next frame, since then."""

    def __init__(self, sockets: Sequence[socket.socket], clip: Frames, payload_type: int) -> None:
        self._files = [each.fileno() for each in sockets]
        self._sockets = sockets
        self._payload_type = payload_type
        self._clip = clip.view(np.uint64)
        keys = clip[:, :KEY_BYTES].copy().view(np.uint64)[:, 0]
        self._order = np.argsort(keys)
        self._keys = keys[self._order]
        self._place = np.full(len(sockets), -1, np.int64)  # of the clip at sequence number 0
        self._rows = np.zeros((ROWS, ROW_BYTES), np.uint8)
        self._control = np.zeros((ROWS, CONTROL_BYTES // 8), np.int64)
        self._iov = np.zeros(ROWS, IOV)
        self._iov["base"] = self._rows.ctypes.data + np.arange(ROWS) * ROW_BYTES
        self._iov["length"] = ROW_BYTES
        self._messages = np.zeros(ROWS, MESSAGE)
        self._messages["iov"] = self._iov.ctypes.data + np.arange(ROWS) * IOV.itemsize
        self._messages["iovlen"] = 1
        self._messages["control"] = self._control.ctypes.data + np.arange(ROWS) * CONTROL_BYTES
        self._receive = ctypes.CDLL(None, use_errno=True).recvmmsg
        self._receive.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        self._kept: list[Packets] = []
        self._dropped = 0
        self.wrong = 0
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def begin(self) -> None:
        """Forget what has come."""
        self._kept.clear()
        self.wrong = 0
        self._dropped = self._drops()

    def packets(self, first_ns: int, last_ns: int) -> Packets:
        """Those of a window of Unix time, in the order in which they were read."""
        call, sequence, timestamp, at_ns = (
            np.concatenate([part[column] for part in self._kept] or [np.zeros(0, np.int64)]) for column in range(4)
        )
        packets = Packets(call, sequence.astype(np.uint16), timestamp.astype(np.uint32), at_ns)
        return packets.pick((at_ns >= first_ns) & (at_ns < last_ns))

    @property
    def dropped(self) -> int:
        """Packets since `begin` for which our own queues had no room: then it was us who were too slow."""
        return self._drops() - self._dropped

    def read(self, first: int, last: int) -> None:
        """All that waits for the calls from `first` to before `last`."""
        receive, files = self._receive, self._files
        base = self._messages.ctypes.data
        self._messages["controllen"] = CONTROL_BYTES
        calls: list[int] = []
        counts: list[int] = []
        end = 0
        for call in range(first, last):
            count = AT_ONCE
            while count == AT_ONCE:
                if end > ROWS - AT_ONCE:
                    self._look(np.repeat(calls, counts))
                    self._messages["controllen"] = CONTROL_BYTES
                    calls, counts, end = [], [], 0
                count = receive(files[call], base + end * MESSAGE.itemsize, AT_ONCE, MSG_DONTWAIT, None)
                if count > 0:  # else nothing waits, or a refusal told by ICMP
                    calls.append(call)
                    counts.append(count)
                    end += count
        if end:
            self._look(np.repeat(calls, counts))

    def _look(self, call: NDArray[np.int64]) -> None:
        size = call.size
        rows = self._rows[:size]
        head = rows[:, :HEADER_BYTES].copy()
        sequence = head[:, 2:4].copy().view(">u2")[:, 0].astype(np.uint16)
        timestamp = head[:, 4:8].copy().view(">u4")[:, 0].astype(np.uint32)
        payload = rows[:, HEADER_BYTES:PACKET_BYTES].copy().view(np.uint64)
        found = np.searchsorted(self._keys, payload[:, 0])
        frame = self._order[np.minimum(found, self._order.size - 1)]
        good = (
            (self._messages["length"][:size] == PACKET_BYTES)
            & (head[:, 0] == 0x80)
            & (head[:, 1] & 0x7F == self._payload_type)
            & (self._clip[frame] == payload).all(axis=1)
        )
        place = (frame - sequence) % self._order.size
        before = self._place[call]
        if size > 1:
            before[1:] = np.where(call[1:] == call[:-1], place[:-1], before[1:])
        good &= (before == place) | (before < 0)
        self._place[call] = place
        self.wrong += int(size - np.count_nonzero(good))
        at_ns = self._control[:size, 2] * 1_000_000_000 + self._control[:size, 3]
        self._kept.append(Packets(call, sequence, timestamp, at_ns))

    def _drops(self) -> int:
        words = (each.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 64) for each in self._sockets)
        return sum(int(np.frombuffer(word, np.uint32)[MEMINFO_DROPS]) for word in words)
