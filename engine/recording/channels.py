"""Puts the two directions of a call side by side, frame by frame of 20 ms.

What came lags behind what we sent by `BEHIND_FRAMES`, since the jitter buffer waits for what is late; so what we sent
waits here. A packet stands beside what we sent in the 20 ms in which it came. A frame that never came, or was lost on
its way to us, is silence in its channel.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.jitter import DELAY_FRAMES, LAG_FRAMES
from engine.media.rtp import FRAME_SAMPLES

# A packet that comes while a tick's 20 ms go by is read in the next tick, waits `DELAY_FRAMES`, and lags.
BEHIND_FRAMES: Final = 1 + DELAY_FRAMES + LAG_FRAMES
CHANNELS: Final = 2  # left: what came from the far end; right: what we sent

Linear = NDArray[np.int16]


class Channels:
    """Of one recording. Frames are given in the order of their numbers, and come out when both directions are known."""

    def __init__(self) -> None:
        self.lost = 0  # frames that we did not get, of either direction
        self._next = 0  # the number of the next frame
        self._waiting = _silence(0)  # frames that we sent, and nothing is known yet of what came then

    def take(self, numbers: NDArray[np.uint32], sent: Linear, came: Linear) -> Linear:
        """Frames (n, 160) by their numbers (n,), counted from 0; what is ready, as samples (m, 2)."""
        if numbers.size == 0:
            return _side_by_side(sent, came)
        count = int(numbers[-1]) + 1 - self._next
        if count != numbers.size:
            at = numbers.astype(np.int64) - self._next
            sent, came = _spread(sent, at, count), _spread(came, at, count)
            self.lost += count - numbers.size
        too_early = min(count, max(0, BEHIND_FRAMES - self._next))  # it came before the recording began
        self._next += count
        return self._join(sent, came[too_early:])

    def finish(self, frames: int, tail: Linear) -> Linear:
        """The rest of a recording of so many frames; `tail` (k, 160) is what came and lagged when it ended."""
        missing = frames - self._next
        rest = _side_by_side(_silence(0), _silence(0))
        if missing > 0:  # lost, the last one too
            rest = self.take(np.array([frames - 1], np.uint32), _silence(1), _silence(1))
            self.lost += 1
        wanted = len(self._waiting)
        tail = tail[max(0, BEHIND_FRAMES - self._next) :][:wanted]
        tail = np.concatenate([tail, _silence(wanted - len(tail))])
        return np.concatenate([rest, self._join(_silence(0), tail)])

    def _join(self, sent: Linear, came: Linear) -> Linear:
        waiting = np.concatenate([self._waiting, sent])
        ready = len(came)
        self._waiting = waiting[ready:]
        return _side_by_side(waiting[:ready], came)


def _side_by_side(sent: Linear, came: Linear) -> Linear:
    return np.stack([came.reshape(-1), sent.reshape(-1)], axis=1)


def _silence(frames: int) -> Linear:
    return np.zeros((frames, FRAME_SAMPLES), np.int16)


def _spread(frames: Linear, at: NDArray[np.int64], count: int) -> Linear:
    spread = _silence(count)
    spread[at] = frames
    return spread
