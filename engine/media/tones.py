"""Keys as tones in the audio (ITU-T Q.23), for a far end that takes no telephone events."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.rtp import CLOCK_HZ, FRAME_SAMPLES

LOW_HZ: Final = (697, 770, 852, 941)
HIGH_HZ: Final = (1209, 1336, 1477, 1633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
_LOW_PEAK, _HIGH_PEAK = 7300.0, 9200.0  # about -10 and -8 dBm0: the higher group is sent 2 dB louder


def frame(digit: str, age: int) -> NDArray[np.int16]:
    """Frame number `age` of a key held down; frames join without a step. ValueError for what is no key."""
    row = next((index for index, keys in enumerate(KEYS) if digit in keys), None)
    if row is None:
        raise ValueError(f"{digit!r} is no key")
    t = (np.arange(FRAME_SAMPLES) + age * FRAME_SAMPLES) * (2 * np.pi / CLOCK_HZ)
    wave = _LOW_PEAK * np.sin(LOW_HZ[row] * t) + _HIGH_PEAK * np.sin(HIGH_HZ[KEYS[row].index(digit)] * t)
    return np.asarray(np.rint(wave), np.int16)
