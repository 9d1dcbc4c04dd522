"""How loud a frame is, in dBm0: a full-scale sine of G.711 is +3.14 dBm0 (ITU-T G.711 section 5)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SILENCE_DBM0 = -90.0  # of digital silence, and of whatever is lower

_FULL_SCALE_DBM0 = 3.14
_FULL_SCALE_POWER = 32768.0**2 / 2


def energies(frames: NDArray[np.int16]) -> NDArray[np.int64]:
    """The sum of squares of each row of `(n, samples)`. Integers, so it is the same in any order of adding."""
    wide = frames.astype(np.int32)  # -32768 squared still fits
    result: NDArray[np.int64] = np.multiply(wide, wide, out=wide).sum(axis=1, dtype=np.int64)
    return result


def dbm0(energy: int, samples: int) -> float:
    """The level of `samples` samples whose squares add up to `energy`."""
    if energy <= 0:
        return SILENCE_DBM0
    level = 10.0 * math.log10(energy / samples / _FULL_SCALE_POWER) + _FULL_SCALE_DBM0
    return max(level, SILENCE_DBM0)


def energy_of(level_dbm0: float, samples: int) -> float:
    """The sum of squares of `samples` samples at that level: `dbm0` the other way round."""
    return ratio(level_dbm0 - _FULL_SCALE_DBM0) * _FULL_SCALE_POWER * samples


def ratio(db: float) -> float:
    """How many times the energy `db` is."""
    return float(10.0 ** (db / 10.0))
