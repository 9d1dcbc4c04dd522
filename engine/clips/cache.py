"""Clips as calls play them: 8 kHz, in both laws, made once from each sound and kept by its content.

Safe among processes: a file appears whole or not at all, and one that was cut or changed is made again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clips import encoded, wav
from engine.media.g711 import Law, encode
from engine.media.rtp import CLOCK_HZ

MAX_S: Final = 300  # nobody listens longer; the arena is bounded too
MAX_BYTES: Final = MAX_S * wav.RATES_HZ[1] * wav.MAX_CHANNELS * 8 + (1 << 20)


@dataclass(frozen=True, slots=True)
class Clip:
    """A prepared clip: its content's hash, its encoded file, and how long it is."""

    key: str
    path: Path
    duration_ms: int


class ClipError(Exception):
    """A clip cannot be used; the text is one line: which file, what is wrong, the remedy."""


class ClipCache:
    """A folder of encoded clips. May be used from any thread and by many processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, source: Path) -> Clip:
        """The clip made of a WAV file; converted the first time. ClipError."""
        sound = _read(source)
        key = hashlib.sha256(sound).hexdigest()
        path = self._folder / f"{key}.clip"
        samples = _cached(path)
        if samples is None:
            samples = self._convert(source, sound, path)
        return Clip(key, path, round(samples * 1000 / CLOCK_HZ))

    def _convert(self, source: Path, sound: bytes, path: Path) -> int:
        try:
            linear = _linear(wav.read(sound))
        except wav.WavError as error:
            remedy = f"ffmpeg -i {source.name} -ac 1 -ar 8000 -c:a pcm_s16le new.wav makes one that can be played"
            raise ClipError(f"{source}: {error}; {remedy}") from error
        if linear.size > MAX_S * CLOCK_HZ:
            raise ClipError(f"{source}: is {linear.size // CLOCK_HZ} s long; at most {MAX_S} s can be played, cut it")
        try:
            self._write(path, encoded.build(encode(linear, Law.A).tobytes(), encode(linear, Law.MU).tobytes()))
        except OSError as error:
            raise ClipError(f"{self._folder}: {error.strerror}; name a folder for clips that can be written") from error
        return linear.size

    def _write(self, path: Path, file: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".clip-", dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as writer:
                writer.write(file)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


def _read(source: Path) -> bytes:
    if source.is_dir():
        raise ClipError(f"{source}: is a folder; name a WAV file in it")
    try:
        size = source.stat().st_size
        if size > MAX_BYTES:
            raise ClipError(
                f"{source}: is too large ({size >> 20} MB); at most {MAX_S} s of sound can be played, cut it"
            )
        sound = source.read_bytes()
    except FileNotFoundError as error:
        raise ClipError(f"{source}: no such file; put the clip there or correct the name") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ClipError(f"{source}: {reason}; make it readable") from error
    if not sound:
        raise ClipError(f"{source}: is empty; record or copy it again")
    return sound


def _cached(path: Path) -> int | None:
    """Its samples; None if it is not there, or not whole."""
    try:
        return encoded.check(path.read_bytes()).samples
    except (OSError, ValueError):
        return None


def _linear(sound: wav.Sound) -> NDArray[np.int16]:
    samples = sound.samples
    if sound.rate_hz != CLOCK_HZ:
        import soxr  # slow to load, and many clips need none of it

        samples = soxr.resample(samples, sound.rate_hz, CLOCK_HZ, "HQ")
    if samples.size == 0:
        raise wav.WavError("is shorter than a sample of 8 kHz")
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
