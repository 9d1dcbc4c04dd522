"""Whether a frame is the tone of a telephone key (ITU-T Q.23), so that a key is not taken for a voice.

Only a guard: pressed keys are reported by who decodes digits, not from here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
RATE_HZ = 8000
SAMPLES = 160  # 20 ms: neighbours of a group are more than one bin of 50 Hz apart

SHARE_OF_BOTH = 0.8  # of the frame's energy that the two tones hold; a vowel spreads it over its harmonics
SHARE_OF_EACH = 0.08  # a twist of 8 dB (Q.24) with something to spare

_ANGLES = 2 * np.pi * np.outer(LOW_HZ + HIGH_HZ, np.arange(SAMPLES)) / RATE_HZ
_WAVES = np.concatenate([np.cos(_ANGLES), np.sin(_ANGLES)])


def is_key_tone(frame: NDArray[np.int16], energy: int) -> bool:
    """`frame` has 160 samples, whose squares add up to `energy`."""
    if energy <= 0:
        return False
    # Sums in a fixed order; a BLAS product may differ in its last bits.
    amplitudes = (_WAVES * frame).sum(axis=1)
    powers = amplitudes[:8] ** 2 + amplitudes[8:] ** 2
    shares = powers * (2.0 / SAMPLES / energy)  # a sine alone has share 1
    low, high = float(np.max(shares[:4])), float(np.max(shares[4:]))
    return low + high >= SHARE_OF_BOTH and min(low, high) >= SHARE_OF_EACH
