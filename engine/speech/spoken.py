"""A spoken clip, and its file: WAV of 8 kHz, 16 bits, mono, with a CRC-32 of its samples in a chunk of our own."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clips.wav import PCM
from engine.media.rtp import CLOCK_HZ
from engine.speech.voice import Gender

_HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")
_TAIL = struct.Struct("<4sII")
_CRC: Final = b"zCRC"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip made from a text. `dropped` are the words whose mark of stress the voice does not honour: `з+амок`."""

    path: Path
    voice: str
    language: str
    gender: Gender  # of the voice; not the one asked for where the language has none of that
    dropped: tuple[str, ...]
    duration_ms: int


def build(samples: NDArray[np.int16]) -> bytes:
    """The file of these samples."""
    sound = samples.astype("<i2").tobytes()
    tail = _TAIL.pack(_CRC, 4, zlib.crc32(sound))
    head = _HEAD.pack(
        b"RIFF", _HEAD.size - 8 + len(sound) + len(tail), b"WAVE",
        b"fmt ", 16, PCM, 1, CLOCK_HZ, 2 * CLOCK_HZ, 2, 16,
        b"data", len(sound),
    )  # fmt: skip
    return head + sound + tail


def duration_ms(path: Path) -> int | None:
    """How long the clip in a whole file is; None if it is not there, was cut or changed."""
    try:
        file = path.read_bytes()
        sound = memoryview(file)[_HEAD.size : -_TAIL.size]
        whole = file[: _HEAD.size] == build(np.zeros(0, np.int16))[:4] + file[4 : _HEAD.size] and (
            _TAIL.unpack(file[-_TAIL.size :]) == (_CRC, 4, zlib.crc32(sound))
        )
    except (OSError, struct.error):
        return None
    return round(len(sound) * 1000 / 2 / CLOCK_HZ) if whole and len(sound) else None
