"""The jitter buffer: what a far end sent, put back into its order and time, as columns for all rows at once.

A row has a ring of frames (20 ms, G.711 codes), placed by RTP timestamp (RFC 3550, section 5.1). `turn` gives each row
one frame a tick. The first packet waits `DELAY_FRAMES`; one that comes too late for its turn moves the row's clock
back, so the delay grows to what the line's jitter needs; a reserve that was not touched for `CALM_TICKS` shrinks by
a frame. That also follows a far end whose clock runs a little faster or slower than ours.

A second reader lags `LAG_FRAMES` behind, for recordings, which may wait: what is late for the ear is in time for it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.g711 import SILENCE_OF_LAW, Codes, Law, translate
from engine.media.rtp import FRAME_SAMPLES

Rows = NDArray[np.intp]

RING_FRAMES: Final = 64
DELAY_FRAMES: Final = 1  # our tick and the far end's are not in step
DELAY_FRAMES_MAX: Final = 10
AHEAD_FRAMES_MAX: Final = 32  # further on, the far end's timestamps have jumped
STRAYS: Final = 3  # packets in a row that fit nowhere: the far end counts anew
CALM_TICKS: Final = 250
LAG_FRAMES: Final = 12
LAG_FRAMES_RANGE: Final = (6, 20)  # outside it the second reader moves by a frame every `CALM_TICKS`
NOWHERE: Final = -1

_UNWRAP: Final = 1 << 32


class JitterBuffer:
    """Owned by the media thread. Rows that are not `wanted` cost nothing and have no frames."""

    def __init__(self, slots: int) -> None:
        self.wanted = np.zeros(slots, bool)
        self.law = np.zeros(slots, np.uint8)  # of the row's frames
        self.frame = np.zeros((slots, FRAME_SAMPLES), np.uint8)  # of the last turn; concealed where it is missing
        self.present = np.zeros(slots, bool)  # and whether it really came
        self.late = np.zeros(slots, np.int64)  # packets that came too late for any turn
        self._codes = np.zeros((slots * RING_FRAMES, FRAME_SAMPLES), np.uint8)
        self._index = np.full(slots * RING_FRAMES, NOWHERE, np.int64)  # which frame lies there
        self._anchored = np.zeros(slots, bool)
        self._base = np.zeros(slots, np.uint32)  # timestamp of frame 0
        self._head = np.zeros(slots, np.int64)  # the next frame to give
        self._given = np.zeros(slots, np.int64)  # what is before this one has had its turn, and gets no other
        self._newest = np.zeros(slots, np.int64)  # the frame after the last one that came
        self._delay = np.zeros(slots, np.int64)
        self._reserve = np.zeros(slots, np.int64)  # the least number of frames that waited lately
        self._strays = np.zeros(slots, np.int64)
        self._missed = np.zeros(slots, np.int64)  # turns without a frame
        self._reader = np.zeros(slots, np.int64)  # the next frame of the second reader

    def open(self, row: int, law: int) -> None:
        """Want the row's frames from now on; idempotent."""
        if self.wanted[row]:
            return
        self.wanted[row], self.law[row] = True, law
        self._index[row * RING_FRAMES : (row + 1) * RING_FRAMES] = NOWHERE
        self._head[row] = self._given[row] = RING_FRAMES
        self._newest[row] = 0
        self._missed[row] = 1
        self.frame[row], self.present[row] = SILENCE_OF_LAW[law], False
        self.lag(row)
        self.restart(row)

    def close(self, row: int) -> None:
        """Nobody wants them; idempotent."""
        self.wanted[row] = self.present[row] = False

    def lag(self, row: int) -> None:
        """The second reader begins `LAG_FRAMES` behind the first one."""
        self._reader[row] = self._head[row] - LAG_FRAMES

    def restart(self, row: int) -> None:
        """The far end counts anew (another SSRC or sequence): its next packet is a first one."""
        self._anchored[row] = False

    # --- in ---------------------------------------------------------------------------------------------

    def put_frames(self, rows: Rows, timestamps: NDArray[np.uint32], payloads: Codes) -> None:
        """One packet of 160 samples for each of the rows, which are wanted, in the laws of their rows."""
        offset = (timestamps - self._base[rows]).view(np.int32)
        index = offset // FRAME_SAMPLES
        ahead = index - self._head[rows]
        fits = (
            self._anchored[rows]
            & (index * FRAME_SAMPLES == offset)
            & (ahead >= 0)
            & (ahead < AHEAD_FRAMES_MAX)
        )  # fmt: skip
        if not fits.all():
            for odd in np.flatnonzero(~fits).tolist():
                self._place(int(rows[odd]), int(timestamps[odd]), payloads[odd])
            rows, index, payloads = rows[fits], index[fits], payloads[fits]
        at = rows * RING_FRAMES + index % RING_FRAMES
        self._codes[at] = payloads
        self._index[at] = index
        self._newest[rows] = np.maximum(self._newest[rows], index + 1)
        self._strays[rows] = 0

    def put(self, row: int, timestamp: int, codes: Codes, law: Law) -> None:
        """A packet of any length, in either law; it is dropped if nobody wants the row."""
        if not self.wanted[row]:
            return
        if self._newest[row] == 0:
            self.law[row] = law
        if law != self.law[row]:
            codes = translate(codes, law, Law(self.law[row]))
        self._place(row, timestamp, codes)

    def _place(self, row: int, timestamp: int, codes: Codes) -> None:
        if not self._anchored[row]:
            self._anchor(row, timestamp)
        ahead = self._offset(row, timestamp) // FRAME_SAMPLES - int(self._head[row])
        if ahead < 0 and self._delay[row] - ahead <= DELAY_FRAMES_MAX:
            self._head[row] += ahead
            self._delay[row] -= ahead
            self._reserve[row] = 0
            self.late[row] += bool(self._head[row] < self._given[row])
        elif not 0 <= ahead < AHEAD_FRAMES_MAX:
            self._strays[row] += 1
            if self._strays[row] < STRAYS:
                self.late[row] += ahead < 0
                self._write(row, timestamp, codes)  # the second reader may still come by
                return
            self._anchor(row, timestamp)
        self._strays[row] = 0
        self._newest[row] = max(self._newest[row], self._write(row, timestamp, codes))

    def _anchor(self, row: int, timestamp: int) -> None:
        """The packet of that timestamp is given `DELAY_FRAMES` turns from now."""
        index = max(int(self._head[row]), int(self._given[row])) + DELAY_FRAMES
        self._base[row] = (timestamp - index * FRAME_SAMPLES) % _UNWRAP
        self._anchored[row] = True
        self._newest[row] = index
        self._delay[row] = self._reserve[row] = DELAY_FRAMES

    def _offset(self, row: int, timestamp: int) -> int:
        offset = (timestamp - int(self._base[row])) % _UNWRAP
        return offset - _UNWRAP if offset >= _UNWRAP // 2 else offset

    def _write(self, row: int, timestamp: int, codes: Codes) -> int:
        """Copy the codes to where they belong; returns the frame after the last one touched."""
        position = self._offset(row, timestamp)
        index = position // FRAME_SAMPLES
        if not -LAG_FRAMES <= index - int(self._head[row]) < AHEAD_FRAMES_MAX:
            return 0
        while codes.size:
            index, begin = divmod(position, FRAME_SAMPLES)
            at = row * RING_FRAMES + index % RING_FRAMES
            if self._index[at] != index:
                self._index[at] = index
                self._codes[at] = SILENCE_OF_LAW[self.law[row]]
            piece = codes[: FRAME_SAMPLES - begin]
            self._codes[at, begin : begin + piece.size] = piece
            position, codes = position + piece.size, codes[piece.size :]
        return index + 1

    # --- out --------------------------------------------------------------------------------------------

    def turn(self, rows: Rows) -> None:
        """The next 20 ms of these rows, which are wanted: `frame` and `present`.

        A missing frame is the last one again, a second one in a row is silence.
        """
        head = self._head[rows]
        at = rows * RING_FRAMES + head % RING_FRAMES
        present = (self._index[at] == head) & (head >= self._given[rows])
        self.present[rows] = present
        here, gone = rows[present], rows[~present]
        self.frame[here] = self._codes[at[present]]
        self._given[here] = head[present] + 1
        self._missed[here] = 0
        self._missed[gone] += 1
        silent = gone[self._missed[gone] > 1]
        self.frame[silent] = SILENCE_OF_LAW[self.law[silent]][:, None]
        self._head[rows] = head + 1
        self._reserve[rows] = np.minimum(self._reserve[rows], self._newest[rows] - head - 1)
        calm = rows[(rows + head) % CALM_TICKS == 0]  # each row by its own turns: phases share this buffer
        if calm.size:
            self._settle(calm)

    def _settle(self, rows: Rows) -> None:
        """Once in `CALM_TICKS`: give up a frame of delay that was not needed; keep the second reader's distance."""
        spare = rows[(self._reserve[rows] > DELAY_FRAMES) & self._anchored[rows]]
        self._head[spare] += 1
        self._delay[spare] = np.maximum(self._delay[spare] - 1, 0)
        self._reserve[rows] = AHEAD_FRAMES_MAX
        flowing = rows[self._newest[rows] >= self._head[rows]]
        lag = self._newest[flowing] - self._reader[flowing]
        least, most = LAG_FRAMES_RANGE
        self._reader[flowing[lag < least]] -= 1
        self._reader[flowing[lag > most]] += 1

    def lagging(self, rows: Rows) -> tuple[Codes, NDArray[np.bool_]]:
        """The next frames of the second reader, and whether they came; once a tick, like `turn`."""
        reader = self._reader[rows]
        at = rows * RING_FRAMES + reader % RING_FRAMES
        self._reader[rows] = reader + 1
        return self._codes[at], self._index[at] == reader

    def rest(self, row: int) -> tuple[Codes, NDArray[np.bool_]]:
        """What the second reader has before it at the end, at most its lag and what lay beyond it."""
        reader, newest = int(self._reader[row]), int(self._newest[row])
        index = np.arange(reader, max(reader, newest))
        at = row * RING_FRAMES + index % RING_FRAMES
        return self._codes[at], self._index[at] == index
