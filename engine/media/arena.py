"""The arena: every clip in both laws, one after another in one array, so that a tick gathers all its payloads at once.

It only grows. Clips are mapped files (engine/clips), copied piece by piece in the slack between two ticks; one that is
wanted earlier is finished at once. Each is padded with silence to whole frames.
"""

from __future__ import annotations

import mmap
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from engine.clips.encoded import read_header
from engine.media.g711 import SILENCE, Codes, Law
from engine.media.rtp import FRAME_SAMPLES

CAPACITY_BYTES = 1 << 30  # of address space: 18 hours of clips; memory is taken as they come
PIECE_BYTES = 1 << 17


class ArenaError(Exception):
    """A clip cannot be played; the text says why."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a clip lies: its first byte for each law, its frames, and its samples."""

    start: tuple[int, int]  # by Law
    frames: int
    samples: int


@dataclass(slots=True)
class _Copy:
    clip: int
    source: NDArray[np.uint8]
    target: int
    done: int = 0


class Arena:
    """Owned by the media thread. `silence` is where a frame of silence lies, by law."""

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._bytes: Codes = np.empty(capacity_bytes, np.uint8)
        self._frames = as_strided(self._bytes, (capacity_bytes - FRAME_SAMPLES + 1, FRAME_SAMPLES), (1, 1))
        self._end = 0
        self._extents: dict[int, Extent | str] = {}
        self._pending: deque[_Copy] = deque()
        self.silence = tuple(self._reserve(FRAME_SAMPLES, law) for law in Law)

    def frames(self, cursors: NDArray[np.int64]) -> Codes:
        """The frames (n, 160) that begin at these bytes."""
        return self._frames[cursors]

    def load(self, clip: int, path: str) -> None:
        """Begin to take a clip in. What goes wrong is told by `extent`, to the call that wants it."""
        try:
            self._extents[clip] = self._map(clip, path)
        except (OSError, ValueError, ArenaError) as error:
            self._extents[clip] = f"clip {path} cannot be played: {error}"

    def extent(self, clip: int) -> Extent:
        """Where the clip lies, wholly copied. ArenaError if it could not be loaded."""
        extent = self._extents.get(clip, f"clip number {clip} was never loaded")
        if isinstance(extent, str):
            raise ArenaError(extent)
        for copy in [copy for copy in self._pending if copy.clip == clip]:
            while copy.done < copy.source.size:
                self._copy(copy)
            self._pending.remove(copy)
        return extent

    def work(self, until: float) -> None:
        """Copy what is waiting, as long as the monotonic clock is before `until`."""
        while self._pending and time.monotonic() < until:
            copy = self._pending[0]
            self._copy(copy)
            if copy.done >= copy.source.size:
                self._pending.popleft()

    def _map(self, clip: int, path: str) -> Extent:
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = read_header(mapped)
        frames = -(-header.samples // FRAME_SAMPLES)
        size = frames * FRAME_SAMPLES
        if self._end + 2 * size > self._bytes.size:
            raise ArenaError("the arena of clips is full; restart the service")
        starts = (self._reserve(size, Law.A), self._reserve(size, Law.MU))
        for law, start in zip(Law, starts, strict=True):
            codes = np.frombuffer(mapped, np.uint8, header.samples, header.offset(law))
            self._pending.append(_Copy(clip, codes, start))
        return Extent(starts, frames, header.samples)

    def _reserve(self, size: int, law: Law) -> int:
        start, self._end = self._end, self._end + size
        # Only the last frame can keep padding; the rest is overwritten before it can be played.
        self._bytes[max(start, self._end - FRAME_SAMPLES) : self._end] = SILENCE[law]
        return start

    def _copy(self, copy: _Copy) -> None:
        piece = copy.source[copy.done : copy.done + PIECE_BYTES]
        at = copy.target + copy.done
        self._bytes[at : at + piece.size] = piece
        copy.done += piece.size
