"""How much of a sound is clipped: runs at full scale, which a converter leaves that was driven too hard.

Told before resampling, which bends the flat tops. A peak that only touches full scale is no clipping: a run has at
least three samples of one sign.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clips.wav import Samples

FULL_SCALE: Final = 0.98  # the largest values of A-law and mu-law are 0.984 and 0.980
RUN_SAMPLES: Final = 3
ACTIVE: Final = 0.01  # -40 dBov: what is quieter does not dilute the share


class ClippingMeter:
    """Fed block by block, at the rate of the source."""

    def __init__(self) -> None:
        self._clipped = 0
        self._active = 0

    def feed(self, highest: Samples, lowest: Samples) -> None:
        """The largest and the smallest value of all channels, sample by sample."""
        self._clipped += _in_runs(highest >= FULL_SCALE) + _in_runs(lowest <= -FULL_SCALE)
        self._active += int(np.count_nonzero((highest >= ACTIVE) | (lowest <= -ACTIVE)))

    @property
    def share(self) -> float:
        """Of the samples that are sound, those that are clipped, 0 to 1."""
        return self._clipped / self._active if self._active else 0.0


def _in_runs(at: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(at, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= RUN_SAMPLES].sum())
