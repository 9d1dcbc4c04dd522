"""What every design plays: noise of which each frame tells its own place, so that every byte that comes can be checked.

Its codes are those that pyVoIP can make (it knows 8-bit samples only), read as A-law by the others. 512 frames: a
sequence number modulo 512 is a place in the clip, also across the wrap of the sequence.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clips.cache import ClipCache
from engine.clips.encoded import read_header
from engine.media.g711 import Law, decode, encode
from engine.media.rtp import CLOCK_HZ, FRAME_SAMPLES

FRAMES: Final = 512
PARTS: Final = 32  # calls begin at one of so many places, or their clips would all end in the same tick
KEY_BYTES: Final = 8  # of a frame, by which its place is known

Frames = NDArray[np.uint8]


def eight_bit() -> NDArray[np.uint8]:
    """The mu-law code of each 8-bit sample, which is unsigned as pyVoIP has them."""
    samples = (np.arange(256) - 128).astype(np.int16) << 8
    return encode(samples, Law.MU)


def frames() -> Frames:
    """The clip, (512, 160) codes; the first eight bytes of a frame are those of no other."""
    alphabet = np.unique(eight_bit())
    return np.random.default_rng(1).choice(alphabet, (FRAMES, FRAME_SAMPLES)).astype(np.uint8)


def part(index: int) -> int:
    """The frame at which the call of this index begins."""
    return index % PARTS * (FRAMES // PARTS)


def write_wav(path: Path, codes: NDArray[np.uint8]) -> Path:
    """A file that becomes these A-law codes again."""
    with wave.open(str(path), "wb") as writer:
        writer.setparams((1, 2, CLOCK_HZ, 0, "NONE", ""))
        writer.writeframes(decode(codes.reshape(-1), Law.A).astype("<i2").tobytes())
    return path


def speech(source: Path, folder: Path, law: Law) -> Frames:
    """What the far ends say: a recording, as frames (n, 160)."""
    data = ClipCache(folder).prepare(source).path.read_bytes()
    header = read_header(data)
    codes = np.frombuffer(data, np.uint8, header.samples, header.offset(law))
    return codes[: codes.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
