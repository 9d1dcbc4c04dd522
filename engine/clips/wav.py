"""Reads WAV: PCM of 8, 16, 24 and 32 bits, floats, A-law and mu-law; mono or stereo. Writes PCM of 16 bits."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.media.g711 import Law, decode

RATES_HZ: Final = (8000, 48000)
MAX_CHANNELS: Final = 2

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE  # format tags, RFC 2361
Samples = NDArray[np.float32]
_STREAMED = (0, 0xFFFFFFFF)  # sizes that a program writes which does not know them yet


class WavError(ValueError):
    """No WAV file that we can read; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel, floats from -1 to 1."""

    rate_hz: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate_hz: int
    frame_bytes: int
    bits: int


def read(file: bytes) -> Sound:
    """The sound of a whole file, mixed to one channel. WavError."""
    if len(file) < 12 or file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise WavError("is no WAV file")
    form: _Format | None = None
    for name, body in chunks(file):
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            if form is None:
                raise WavError("has sound before its format: a broken header")
            return Sound(form.rate_hz, _samples(form, body))
    raise WavError(
        "has no sound in it: a broken header" if form is None else "holds no sound: it ends after its header"
    )


def chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies of what a WAV file consists of. WavError where one is cut off."""
    at = 12
    while at + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, at)
        at += 8
        left = len(file) - at
        if name == b"data" and size in _STREAMED and left > 0:
            size = left
        if size > left:
            raise WavError(f"is cut off: its header promises {size} bytes and {left} are there")
        yield name, file[at : at + size]
        at += size + size % 2


def build(samples: NDArray[np.int16], rate_hz: int) -> bytes:
    """A file of one channel, 16-bit PCM, with the shortest header (44 bytes): the same samples are the same bytes."""
    data = samples.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", PCM, 1, rate_hz, 2 * rate_hz, 2, 16)
    head = struct.pack("<4sI4s4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", len(form))
    return head + form + struct.pack("<4sI", b"data", len(data)) + data


def _format(body: bytes) -> _Format:
    if len(body) < 16:
        raise WavError("has a broken header: its format is too short")
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", body)
    if tag == EXTENSIBLE:
        if len(body) < 26:
            raise WavError("has a broken header: its extended format is too short")
        (tag,) = struct.unpack_from("<H", body, 24)
    if not 1 <= channels <= MAX_CHANNELS:
        raise WavError(f"has {channels} channels; mono and stereo can be played")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise WavError(f"is sampled at {rate_hz} Hz; 8000 to 48000 Hz can be played")
    if (tag, bits) not in _READERS:
        raise WavError(f"is coded in a way (format {tag}, {bits} bits) that cannot be played")
    if frame_bytes != channels * bits // 8:
        raise WavError("has a broken header: its block size does not fit its format")
    return _Format(tag, channels, rate_hz, frame_bytes, bits)


def _samples(form: _Format, body: bytes) -> Samples:
    whole = len(body) // form.frame_bytes
    if whole == 0:
        raise WavError("is empty: there is no sound in it")
    raw = np.frombuffer(body, np.uint8, whole * form.frame_bytes)
    samples = _READERS[form.tag, form.bits](raw)
    if form.channels == 1:
        return samples
    return np.asarray(samples.reshape(-1, form.channels).mean(axis=1), np.float32)


def _scaled(values: NDArray[Any], full: int) -> Samples:
    return np.asarray(values / full, np.float32)


def _finite(values: NDArray[Any]) -> Samples:
    return np.asarray(np.nan_to_num(np.clip(values, -1, 1)), np.float32)


def _wide(raw: NDArray[np.uint8]) -> NDArray[Any]:
    """24 bits as the upper ones of 32."""
    wide = np.zeros((raw.size // 3, 4), np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return wide.reshape(-1).view("<i4")


_READERS: Final[dict[tuple[int, int], Callable[[NDArray[np.uint8]], Samples]]] = {
    (PCM, 8): lambda raw: _scaled(raw.astype(np.int16) - 128, 1 << 7),
    (PCM, 16): lambda raw: _scaled(raw.view("<i2"), 1 << 15),
    (PCM, 24): lambda raw: _scaled(_wide(raw), 1 << 31),
    (PCM, 32): lambda raw: _scaled(raw.view("<i4"), 1 << 31),
    (FLOAT, 32): lambda raw: _finite(raw.view("<f4")),
    (FLOAT, 64): lambda raw: _finite(raw.view("<f8")),
    (A_LAW, 8): lambda raw: _scaled(decode(raw, Law.A), 1 << 15),
    (MU_LAW, 8): lambda raw: _scaled(decode(raw, Law.MU), 1 << 15),
}
