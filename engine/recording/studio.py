"""All recordings that go on: notices and frames in, files and what became of them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.media.g711 import decode_rows
from engine.media.wire import Recorded, Saved
from engine.recording.channels import Linear
from engine.recording.notice import Begin, End, Notice
from engine.recording.order import Forsake, Recover
from engine.recording.recording import Recording, recover
from engine.recording.ring import PRESENT, RX_MU, TAIL, TX_MU, Frames, Ring

FRAMES_AT_ONCE: Final = 1 << 15  # 10 MB, and four times that decoded

Key = tuple[int, int]  # row and generation
Tell = Callable[[int, int, Recorded], None]


class Studio:
    """Owned by the writer's thread. `tell(row, generation, recorded)` is called once for each recording."""

    def __init__(self, ring: Ring, tell: Tell) -> None:
        self._ring = ring
        self._tell = tell
        self._recordings: dict[Key, Recording] = {}
        self._recovered: set[Key] = set()

    def take(self, notices: Iterable[Notice]) -> None:
        """What happened since the last time, in order."""
        notices = list(notices)
        for notice in notices:
            if isinstance(notice, Begin):
                self._begin(notice)
        self._consume(max((notice.position for notice in notices), default=0))
        for notice in notices:
            if isinstance(notice, End):
                recording = self._recordings.get((notice.row, notice.generation))
                if recording is not None:
                    self._over((notice.row, notice.generation), recording.finish(notice.frames))

    def forsake(self, order: Forsake) -> None:
        """No more frames come of it."""
        self._consume(self._ring.head)
        key = order.row, order.generation
        recording = self._recordings.get(key)
        if recording is not None:
            self._over(key, recording.forsake(order.why))

    def recover(self, order: Recover) -> None:
        """Finish one that another writer began."""
        self._recovered.add((order.row, order.generation))
        self._tell(order.row, order.generation, recover(order.path, order.started_at, order.why))

    def close(self) -> None:
        """Everybody has gone: finish all with what there is."""
        self._consume(self._ring.head)
        for key, recording in list(self._recordings.items()):
            self._over(key, recording.forsake("the service died"))

    def _begin(self, begin: Begin) -> None:
        key = begin.row, begin.generation
        if key in self._recovered:
            return
        recording = Recording(begin.path, begin.started_at)
        if any(recording.path == other.path for other in self._recordings.values()):
            why = "another call is recorded into this file"
            self._tell(*key, Recorded(begin.path, 0, Saved.FAILED.value, why, begin.started_at))
            return
        self._recordings[key] = recording
        self._over(key, recording.open())

    def _over(self, key: Key, recorded: Recorded | None) -> None:
        if recorded is not None:
            del self._recordings[key]
            self._tell(*key, recorded)

    # --- frames -----------------------------------------------------------------------------------------

    def _consume(self, until: int) -> None:
        pieces: list[Frames] = []
        count = 0
        for piece in self._ring.read(until):
            pieces.append(piece.copy())
            count += piece.size
            if count >= FRAMES_AT_ONCE:
                self._sort(np.concatenate(pieces))
                pieces, count = [], 0
        if pieces:
            self._sort(np.concatenate(pieces))

    def _sort(self, frames: Frames) -> None:
        """Each recording gets its own, in their order."""
        keys = frames["generation"].astype(np.int64) << 16 | frames["row"]
        order = np.argsort(keys, kind="stable")
        frames, keys = frames[order], keys[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        sent, came = _decode(frames)
        tail = (frames["flags"] & TAIL) != 0
        for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), frames.size], strict=True):
            key = int(frames["row"][begin]), int(frames["generation"][begin])
            recording = self._recordings.get(key)
            if recording is not None:
                ended = end - int(tail[begin:end].sum())
                if ended < end:
                    recording.keep_tail(came[ended:end])
                here = slice(begin, ended)
                self._over(key, recording.take(frames["number"][here], sent[here], came[here]))


def _decode(frames: Frames) -> tuple[Linear, Linear]:
    flags: NDArray[Any] = frames["flags"]
    sent = decode_rows(frames["tx"], ((flags & TX_MU) != 0).astype(np.uint8))
    came = decode_rows(frames["rx"], ((flags & RX_MU) != 0).astype(np.uint8))
    came[(flags & PRESENT) == 0] = 0
    return sent, came
