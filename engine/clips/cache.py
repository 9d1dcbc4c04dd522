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

from engine.clips import encoded, wav
from engine.clips.decode import decode
from engine.clips.rate import at_8_khz, to_linear
from engine.clips.refusal import ClipRefused, Reason
from engine.media.g711 import Law, Linear, encode
from engine.media.rtp import CLOCK_HZ

MAX_S: Final = 300  # nobody listens longer; the arena is bounded too
_BYTES_PER_S: Final = wav.RATES_HZ[1] * wav.MAX_CHANNELS * 8  # of the largest WAV that we read


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

    def __init__(self, folder: Path, max_s: int = MAX_S) -> None:
        self._folder = folder
        self._max_s = max_s

    def prepare(self, source: Path) -> Clip:
        """The clip made of a file, as loud as it is; converted the first time. ClipError."""
        sound = _read(source, self._max_s)
        key = hashlib.sha256(sound).hexdigest()
        path = self._folder / f"{key}.clip"
        samples = _cached(path)
        if samples is None:
            samples = self._convert(source, sound, path)
        return Clip(key, path, round(samples * 1000 / CLOCK_HZ))

    def _convert(self, source: Path, sound: bytes, path: Path) -> int:
        try:
            linear = self._linear(sound)
        except wav.WavError as error:
            remedy = f"ffmpeg -i {source.name} -ac 1 -ar 8000 -c:a pcm_s16le new.wav makes one that can be played"
            raise ClipError(f"{source}: {error}; {remedy}") from error
        except ClipRefused as refused:
            raise ClipError(f"{source}: {refused}") from refused
        except OSError as error:
            raise ClipError(f"{source}: {error.strerror}; make room for temporary files") from error
        try:
            self._write(path, encoded.build(encode(linear, Law.A).tobytes(), encode(linear, Law.MU).tobytes()))
        except OSError as error:
            raise ClipError(f"{self._folder}: {error.strerror}; name a folder for clips that can be written") from error
        return linear.size

    def _linear(self, sound: bytes) -> Linear:
        if sound[:4] != b"RIFF":
            return to_linear(decode(sound, self._max_s).samples)
        samples = at_8_khz(wav.read(sound))
        if samples.size == 0:
            raise wav.WavError("is shorter than a sample of 8 kHz")
        if samples.size > self._max_s * CLOCK_HZ:
            raise ClipRefused(Reason.TOO_LONG, max_s=self._max_s)
        return to_linear(samples)

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


def _read(source: Path, max_s: int) -> bytes:
    if source.is_dir():
        raise ClipError(f"{source}: is a folder; name a file in it")
    try:
        size = source.stat().st_size
        if size > max_s * _BYTES_PER_S + (1 << 20):
            raise ClipError(f"{source}: {ClipRefused(Reason.TOO_LONG, max_s=max_s)}")
        sound = source.read_bytes()
    except FileNotFoundError as error:
        raise ClipError(f"{source}: no such file; put the clip there or correct the name") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ClipError(f"{source}: {reason}; make it readable") from error
    if not sound:
        raise ClipError(f"{source}: {ClipRefused(Reason.EMPTY)}")
    return sound


def _cached(path: Path) -> int | None:
    """Its samples; None if it is not there, or not whole."""
    try:
        return encoded.check(path.read_bytes()).samples
    except (OSError, ValueError):
        return None
