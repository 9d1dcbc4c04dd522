"""Hearing as the plane has it (`detection.voice`), a call at a time, for programs that have no columns."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detection.bank import ECHO_FRAMES
from detection.voice import Voice


class Ear:
    """Hears one call."""

    def __init__(self) -> None:
        self._voice = Voice()
        self._sent: deque[int] = deque(maxlen=ECHO_FRAMES)
        self.changes = 0

    def sent(self, energy: int) -> None:
        """A frame of this energy went out."""
        self._sent.append(energy)

    def hear(self, samples: NDArray[np.int16]) -> None:
        """The next 160 samples."""
        wide = samples.astype(np.int32)
        change = self._voice.hear(samples, int(np.dot(wide, wide)), max(self._sent, default=0))
        self.changes += change is not None
