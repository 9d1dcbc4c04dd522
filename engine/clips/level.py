"""Trims a sound and brings it to one loudness, that of speech on the telephone. Samples at 8 kHz in, samples out.

The measure follows ITU-T P.56 (method B) by frames: the active level is the power of all of the sound over the time in
which somebody speaks, and that is where a frame is at most 15.9 dB below the active level itself, and 200 ms on.
Levels are in dBov: 0 is the power of a square wave at full scale (ITU-T G.100.1).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.clips.refusal import ClipRefused, Reason
from engine.clips.wav import Samples

TARGET_DBOV: Final = -22.0  # RFC 7874 section 4: speech on the wire has -19 dBm0 while active, an RMS of 2600
CLOSE_DB: Final = 0.5  # nobody hears it: what was prepared once stays as it is
SILENT_DBOV: Final = -55.0  # the hiss of a microphone that is muted or far away
MARGIN_DB: Final = 15.9  # P.56 section 8.3, as the hangover
HANGOVER_FRAMES: Final = 20
FRAME_SAMPLES: Final = 80  # 10 ms

QUIET_DB: Final = 30.0  # below the active level begins what is trimmed: softer than an f or an s at a word's end
LEAD_SAMPLES: Final = 800  # what stays before the first sound: 100 ms
TAIL_SAMPLES: Final = 1600  # after the last one
FADE_SAMPLES: Final = 40  # where it was cut, so that it does not click

CEILING: Final = 0.97
LIMITED_DB: Final = 6.0  # a limiter that takes more is heard; then the whole is less loud
LOOKAHEAD_SAMPLES: Final = 40  # 5 ms


def bring(samples: Samples) -> Samples:
    """Trimmed and levelled. ClipRefused if it is silent."""
    level_dbov = active_dbov(samples)
    if level_dbov < SILENT_DBOV:
        raise ClipRefused(Reason.SILENT)
    return _louder(_trim(samples, level_dbov), TARGET_DBOV - level_dbov)


def active_dbov(samples: Samples) -> float:
    """The active level; minus infinity for digital silence."""
    power = _powers(samples)
    total = float(power.sum())
    active_frames = power.size
    # Each turn the threshold rises and fewer frames are above it, until none falls out.
    while total > 0:
        threshold = total / active_frames / 10 ** (MARGIN_DB / 10)
        active = np.convolve(power >= threshold, np.ones(HANGOVER_FRAMES + 1))[: power.size] > 0.5
        count = int(np.count_nonzero(active))
        if count >= active_frames:
            return 10 * math.log10(total / active_frames)
        active_frames = count
    return -math.inf


def _powers(samples: Samples) -> NDArray[np.float64]:
    """The mean power of each frame; the last one is filled up with silence."""
    frames = -(-samples.size // FRAME_SAMPLES)
    padded = np.zeros(frames * FRAME_SAMPLES)
    padded[: samples.size] = samples
    power: NDArray[np.float64] = np.square(padded).reshape(-1, FRAME_SAMPLES).mean(axis=1)
    return power


def _trim(samples: Samples, level_dbov: float) -> Samples:
    loud = np.flatnonzero(_powers(samples) >= 10 ** ((level_dbov - QUIET_DB) / 10))
    begin = max(0, int(loud[0]) * FRAME_SAMPLES - LEAD_SAMPLES)
    end = min(samples.size, (int(loud[-1]) + 1) * FRAME_SAMPLES + TAIL_SAMPLES)
    trimmed = samples[begin:end].copy()
    fade = np.linspace(0, 1, FADE_SAMPLES, dtype=np.float32)
    if begin > 0:
        trimmed[:FADE_SAMPLES] *= fade
    if end < samples.size:
        trimmed[-FADE_SAMPLES:] *= fade[::-1]
    return trimmed


def _louder(samples: Samples, gain_db: float) -> Samples:
    if abs(gain_db) < CLOSE_DB:
        gain_db = 0
    peak = float(np.abs(samples).max())
    highest_db = 20 * math.log10(CEILING / peak) + LIMITED_DB
    louder = samples * np.float32(10 ** (min(gain_db, highest_db) / 20))
    return _limited(louder) if np.abs(louder).max() > 1 else louder


def _limited(samples: Samples) -> Samples:
    """Peaks are taken down to the ceiling by a gain that begins to fall before them and rises after them, in 5 ms.

    The smallest gain of a window, averaged over that same window, is never above what its middle needs.
    """
    needed = np.float32(CEILING) / np.maximum(np.abs(samples), np.float32(CEILING))
    width = 2 * LOOKAHEAD_SAMPLES + 1
    lowest = sliding_window_view(np.pad(needed, 2 * LOOKAHEAD_SAMPLES, constant_values=1), width).min(axis=1)
    # Sums of a running total, and not of each window: as fast for an hour as for a second.
    total = np.concatenate([[0.0], np.cumsum(lowest, dtype=np.float64)])
    gain = (total[width:] - total[:-width]) / width
    limited: Samples = (samples * gain).astype(np.float32)
    return limited
