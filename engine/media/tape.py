"""What the media process does for recordings: hand the frames of recorded rows over, and never wait.

The frames go into memory shared with the writer (`engine.recording.ring`), what must be told in between through a
SEQPACKET socket: `Begin`, `End`, and `Frames` now and then. Each names the position in the memory that it stands at.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.media.g711 import Codes
from engine.recording.notice import Begin, End, Frames, Notice, pack
from engine.recording.ring import PRESENT, RX_MU, TAIL, TX_MU, Ring

NOTICE_TURNS: Final = 25  # the writer is woken so often; it works faster with many frames at once

Rows = NDArray[np.intp]


class Tape(Protocol):
    """Takes the sound of recorded rows. Never blocks, never raises."""

    def open(self, row: int, generation: int, path: str) -> None:
        """Begin a recording; the next `turn` with this row brings its first frame."""

    def turn(
        self,
        rows: Rows,
        generations: NDArray[np.integer[Any]],
        tx: Codes,
        tx_law: NDArray[np.uint8],
        rx: Codes,
        rx_law: NDArray[np.uint8],
        present: NDArray[np.bool_],
    ) -> None:
        """One tick of recorded rows (n,): codes (n, 160) of what we sent (silence where nothing), and of what came
        `LAG_FRAMES` ticks before; `rx` counts where `present`.
        """

    def close(self, row: int, generation: int, tail_rx: Codes, tail_law: int, tail_present: NDArray[np.bool_]) -> None:
        """End a recording, with the frames (k, 160) that came but lagged; k up to `LAG_FRAMES`. Others are ignored."""


class SharedTape:
    """Through memory and a socket that the writer holds the other ends of, be it alive or not."""

    def __init__(self, ring: Ring, line: socket.socket, slots: int, now: Callable[[], float]) -> None:
        self._ring = ring
        self._line = line
        self._now = now  # Unix seconds
        self._number = np.zeros(slots, np.uint32)
        self._open: dict[int, int] = {}  # generations of rows
        self._unsent: deque[bytes] = deque()
        self._told = 0  # the position of the last notice
        self._turns = 0
        line.setblocking(False)

    def open(self, row: int, generation: int, path: str) -> None:
        """See `Tape`."""
        self._number[row] = 0
        self._open[row] = generation
        self._tell(Begin(self._ring.head, row, generation, path, self._now()))

    def turn(
        self,
        rows: Rows,
        generations: NDArray[np.integer[Any]],
        tx: Codes,
        tx_law: NDArray[np.uint8],
        rx: Codes,
        rx_law: NDArray[np.uint8],
        present: NDArray[np.bool_],
    ) -> None:
        """See `Tape`."""
        flags = present * np.uint8(PRESENT) | rx_law * np.uint8(RX_MU) | tx_law * np.uint8(TX_MU)
        self._ring.write(rows, generations, self._number[rows], flags, tx, rx)
        self._number[rows] += np.uint32(1)
        self._turns += 1
        # One notice under way is enough, so that a writer which stands still does not find the socket full of them.
        if self._turns >= NOTICE_TURNS and self._ring.seen >= self._told:
            self._turns = 0
            if self._ring.head > self._told:
                self._tell(Frames(self._ring.head))

    def close(self, row: int, generation: int, tail_rx: Codes, tail_law: int, tail_present: NDArray[np.bool_]) -> None:
        """See `Tape`."""
        if self._open.get(row) != generation:
            return
        del self._open[row]
        count = len(tail_rx)
        ended = int(self._number[row])
        if count:
            self._ring.write(
                np.full(count, row), np.full(count, generation), np.arange(ended, ended + count, dtype=np.uint32),
                tail_present * np.uint8(PRESENT) | np.uint8(tail_law * RX_MU | TAIL), None, tail_rx,
            )  # fmt: skip
        self._tell(End(self._ring.head, row, generation, ended))

    def _tell(self, notice: Notice) -> None:
        self._told = notice.position
        self._unsent.append(pack(notice))
        self.flush()

    def flush(self) -> None:
        """Once a tick: tell what the socket had no room for."""
        while self._unsent:
            try:
                self._line.send(self._unsent[0])
            except BlockingIOError:
                return
            except OSError:  # nobody holds the other end any more: the control side goes, and so do we
                self._unsent.clear()
                return
            self._unsent.popleft()
