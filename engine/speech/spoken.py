"""A spoken clip, and its file: WAV of 8 kHz, 16 bits, mono, with chunks of our own behind the sound.

`zDRP` holds the words whose mark was dropped, as JSON; `zCRC` the CRC-32 of all that stands before it. Other readers
skip both.
"""

from __future__ import annotations

import json
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

_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.pack("<4s4sIHHIIHH", b"WAVE", b"fmt ", 16, PCM, 1, CLOCK_HZ, 2 * CLOCK_HZ, 2, 16)
_CRC: Final = struct.Struct("<4sII")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip made from a text. `dropped` are the words whose mark of stress the voice does not honour: `з+амок`."""

    path: Path
    voice: str
    language: str
    gender: Gender  # of the voice; not the one asked for where the language has none of that
    dropped: tuple[str, ...]
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file says of itself."""

    duration_ms: int
    dropped: tuple[str, ...]


def build(samples: NDArray[np.int16], dropped: tuple[str, ...]) -> bytes:
    """The file of these samples."""
    sound = samples.astype("<i2").tobytes()
    notes = json.dumps(dropped).encode()  # ASCII
    notes += b" " * (len(notes) % 2)  # chunks are of even size
    body = _FORMAT + _CHUNK.pack(b"data", len(sound)) + sound + _CHUNK.pack(b"zDRP", len(notes)) + notes
    whole = _CHUNK.pack(b"RIFF", len(body) + _CRC.size) + body
    return whole + _CRC.pack(b"zCRC", 4, zlib.crc32(whole))


def read(path: Path) -> Kept | None:
    """What is kept there; None if it is not there, was cut or changed."""
    try:
        file = path.read_bytes()
        whole = memoryview(file)[: -_CRC.size]
        if _CRC.unpack(file[-_CRC.size :]) != (b"zCRC", 4, zlib.crc32(whole)):
            return None
    except (OSError, struct.error):
        return None
    at = _CHUNK.size + len(_FORMAT)
    _, size = _CHUNK.unpack_from(file, at)
    notes = bytes(whole[at + _CHUNK.size + size + _CHUNK.size :])
    return Kept(round(size * 1000 / 2 / CLOCK_HZ), tuple(json.loads(notes)))
