"""What a callee hears while a manager is called: made here, once, as files of which clips are prepared."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clips import wav
from engine.media.rtp import CLOCK_HZ
from engine.orders import Tone

RINGBACK_HZ: Final = 425  # ITU-T E.180 supplement 2: Russia, as most of Europe
RINGBACK_S: Final = (1.0, 4.0)  # on, off
_RINGBACK_PEAK: Final = 3500  # some -16 dBm0
_HOLD_PEAK: Final = 1100  # below speech: it says that the line is alive, and does not strain
_HOLD_HZ: Final = (262, 330, 392, 523, 392, 330)  # C major, up and down
_NOTE_S: Final = 0.8


def write(tone: Tone, folder: Path) -> Path:
    """The file of that tone in `folder`, whole; OSError."""
    samples = _ringback() if tone is Tone.RINGBACK else _hold()
    path = folder / f"{tone.value}.wav"
    sound = wav.build(samples, CLOCK_HZ)
    if path.is_file() and path.read_bytes() == sound:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".tone-", dir=folder)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(sound)
    os.replace(name, path)
    return path


def _ringback() -> NDArray[np.int16]:
    on_s, off_s = RINGBACK_S
    t = np.arange(round(on_s * CLOCK_HZ)) / CLOCK_HZ
    tone = _RINGBACK_PEAK * np.sin(2 * np.pi * RINGBACK_HZ * t)
    return np.concatenate([tone, np.zeros(round(off_s * CLOCK_HZ))]).astype(np.int16)


def _hold() -> NDArray[np.int16]:
    t = np.arange(round(_NOTE_S * CLOCK_HZ)) / CLOCK_HZ
    swell = np.sin(np.pi * t / _NOTE_S) ** 2  # each note comes and goes, so that they join without a click
    notes = [np.sin(2 * np.pi * hz * t) * swell for hz in _HOLD_HZ]
    return (_HOLD_PEAK * np.concatenate(notes)).astype(np.int16)
