"""Reads WAV: PCM of 8, 16, 24 and 32 bits, floats, A-law and mu-law; mono or stereo. Bytes in, samples out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.g711 import Law, decode

RATES_HZ: Final = (8000, 48000)
MAX_CHANNELS: Final = 2

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE  # format tags, RFC 2361
_STREAMED = (0, 0xFFFFFFFF)  # sizes that a program writes which does not know them yet


class WavError(ValueError):
    """No WAV file that we can read; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel, floats from -1 to 1."""

    rate_hz: int
    samples: NDArray[np.float32]


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
    for name, body in _chunks(file):
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            if form is None:
                raise WavError("has sound before its format: a broken header")
            return Sound(form.rate_hz, _samples(form, body))
    raise WavError(
        "has no sound in it: a broken header" if form is None else "holds no sound: it ends after its header"
    )


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
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


def _samples(form: _Format, body: bytes) -> NDArray[np.float32]:
    whole = len(body) // form.frame_bytes
    if whole == 0:
        raise WavError("is empty: there is no sound in it")
    raw = np.frombuffer(body, np.uint8, whole * form.frame_bytes)
    samples = _READERS[form.tag, form.bits](raw)
    if form.channels == 1:
        return samples
    return samples.reshape(-1, form.channels).mean(axis=1, dtype=np.float32)


def _pcm8(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (raw.astype(np.float32) - 128) / 128


def _pcm16(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return raw.view("<i2").astype(np.float32) / 32768


def _pcm24(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    wide = np.zeros((raw.size // 3, 4), np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return _pcm32(wide.reshape(-1))


def _pcm32(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (raw.view("<i4") / 2147483648).astype(np.float32)


def _float32(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.nan_to_num(raw.view("<f4").astype(np.float32), posinf=1, neginf=-1)


def _float64(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.nan_to_num(np.clip(raw.view("<f8"), -2, 2)).astype(np.float32)


def _a_law(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return decode(raw, Law.A).astype(np.float32) / 32768


def _mu_law(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    return decode(raw, Law.MU).astype(np.float32) / 32768


_READERS = {
    (PCM, 8): _pcm8, (PCM, 16): _pcm16, (PCM, 24): _pcm24, (PCM, 32): _pcm32,
    (FLOAT, 32): _float32, (FLOAT, 64): _float64,
    (A_LAW, 8): _a_law, (MU_LAW, 8): _mu_law,
}  # fmt: skip
