"""From floats of any rate to the samples of the telephone: 8 kHz, 16 bits."""

from __future__ import annotations

import numpy as np

from engine.clips.wav import Samples, Sound
from engine.media.g711 import Linear
from engine.media.rtp import CLOCK_HZ


def at_8_khz(sound: Sound) -> Samples:
    """Its samples; none if it was shorter than one."""
    if sound.rate_hz == CLOCK_HZ:
        return sound.samples
    import soxr  # slow to load, and many clips need none of it

    samples: Samples = soxr.resample(sound.samples, sound.rate_hz, CLOCK_HZ, "HQ")
    return samples


def to_linear(samples: Samples) -> Linear:
    """Rounded, and clipped where resampling went above full scale."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
