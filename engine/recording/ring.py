"""Memory that the media process and the writer share: the frames of all recorded calls, in the order of their ticks.

One writes, one reads, neither waits for the other: a frame for which there is no room is lost, and its number misses.
Positions count frames since the beginning and never wrap. Where the frames end is told through a socket
(`engine.media.tape`), so what lies before that is whole; how far they are read is told in the memory itself, by blocks,
whose pages are given back: the memory in use is what waits.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.media.g711 import Codes
from engine.media.rtp import FRAME_SAMPLES

FRAME: Final = np.dtype([
    ("generation", "<u4"),
    ("number", "<u4"),  # frames since the recording began; a gap is a loss
    ("row", "<u2"),
    ("flags", "u1"),
    ("", "u1"),
    ("tx", "u1", FRAME_SAMPLES),  # what we sent in a tick
    ("rx", "u1", FRAME_SAMPLES),  # what came `LAG_FRAMES` ticks before
])  # fmt: skip
PRESENT: Final = 1  # the frame of the far end really came
RX_MU, TX_MU = 2, 4  # its law, and ours: mu-law, else A-law
TAIL: Final = 8  # the recording's end: there is no `tx`

BLOCK_FRAMES: Final = 1024  # 83 pages of 4096 bytes
STALL_S: Final = 30  # how long the writer may stand still until something is lost, if every slot is recorded
TICKS_A_S: Final = 50
_HEADER_BYTES: Final = mmap.PAGESIZE
_MADV_REMOVE: Final = getattr(mmap, "MADV_REMOVE", None)

Frames = NDArray[Any]  # of FRAME


def create(slots: int) -> int:
    """Memory for that many slots, as a file descriptor that child processes may be given."""
    blocks = -(-slots * STALL_S * TICKS_A_S // BLOCK_FRAMES) + 1
    descriptor = os.memfd_create("zvonar-recording", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, _HEADER_BYTES + blocks * BLOCK_FRAMES * FRAME.itemsize)
    return descriptor


class Ring:
    """One of the two ends. `head` belongs to who writes, `seen` to who reads."""

    def __init__(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        self._map = mmap.mmap(descriptor, size)
        self._positions = np.frombuffer(self._map, np.uint64, 2)
        self.capacity = (size - _HEADER_BYTES) // FRAME.itemsize
        self._frames: Frames = np.frombuffer(self._map, FRAME, self.capacity, _HEADER_BYTES)

    @property
    def head(self) -> int:
        """The position of the next frame."""
        return int(self._positions[0])

    @property
    def seen(self) -> int:
        """What is before this position was read."""
        return int(self._positions[1])

    def write(
        self,
        rows: NDArray[np.intp],
        generations: NDArray[np.integer[Any]],
        numbers: NDArray[np.uint32],
        flags: NDArray[np.uint8],
        tx: Codes | None,
        rx: Codes,
    ) -> bool:
        """Append frames, all of them or, where there is no room, none (False)."""
        head, count = self.head, rows.size
        if head + count - self.seen // BLOCK_FRAMES * BLOCK_FRAMES > self.capacity:
            return False
        at = head % self.capacity
        first = min(count, self.capacity - at)
        for here, there in ((slice(at, at + first), slice(first)), (slice(count - first), slice(first, count))):
            frames = self._frames[here]
            if frames.size:
                frames["row"] = rows[there]
                frames["generation"] = generations[there]
                frames["number"] = numbers[there]
                frames["flags"] = flags[there]
                frames["rx"] = rx[there]
                if tx is not None:
                    frames["tx"] = tx[there]
        self._positions[0] = head + count
        return True

    def read(self, until: int) -> Iterator[Frames]:
        """What lies between `seen` and that position, in pieces; each is gone when the next is asked for."""
        seen = self.seen
        while seen < until:
            at = seen % self.capacity
            # To the end of a block at most, so that a block is given back as a whole.
            count = min(until - seen, BLOCK_FRAMES - at % BLOCK_FRAMES)
            yield self._frames[at : at + count]
            seen += count
            if seen % BLOCK_FRAMES == 0 and _MADV_REMOVE is not None:
                begin = _HEADER_BYTES + (at // BLOCK_FRAMES) * BLOCK_FRAMES * FRAME.itemsize
                with contextlib.suppress(OSError):  # some kernels do not have it; then the memory stays in use
                    self._map.madvise(_MADV_REMOVE, begin, BLOCK_FRAMES * FRAME.itemsize)
            self._positions[1] = seen
