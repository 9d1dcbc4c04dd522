"""Whether a sound was driven into full scale: its amplitudes then pile up there, and the peaks of its waves are flat.

Told from the source, before resampling bends the flat tops. What only touches full scale is not clipped: of a sine,
47 % of what is above `HIGH` is above `TOP` too, of speech a quarter, of dense music 30 %; of speech that was recorded
9 dB too loud, more than half, also through MP3 at 128 and Opus at 64 kbit/s. Fewer bits ripple the tops, and hide it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.clips.wav import Samples

TOP: Final = 0.93  # LAME scales by 0.95; A-law and mu-law end at 0.98
HIGH: Final = 0.7
ACTIVE: Final = 0.01  # -40 dBov: what is quieter does not dilute the share
FLAT: Final = 0.5  # of what is high
SHARE: Final = 0.015  # of what is active: a click or two is no reason to record it again


class ClippingMeter:
    """Fed block by block, at the rate of the source."""

    def __init__(self) -> None:
        self._top = self._high = self._active = 0

    def feed(self, magnitudes: Samples) -> None:
        """The largest magnitude of all channels, sample by sample; 1 is full scale."""
        self._top += int(np.count_nonzero(magnitudes >= TOP))
        self._high += int(np.count_nonzero(magnitudes >= HIGH))
        self._active += int(np.count_nonzero(magnitudes >= ACTIVE))

    @property
    def clipped(self) -> float:
        """The share of the sound that is clipped, 0 to 1; 0 if that is not heard."""
        if not self._active or self._top < FLAT * self._high or self._top < SHARE * self._active:
            return 0.0
        return self._top / self._active
