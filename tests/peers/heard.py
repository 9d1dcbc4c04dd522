"""Clips whose every moment is unlike any other, and where a recording of them has which.

A clip's samples are values that A-law has (ITU-T G.711), so whoever sends it in A-law sends exactly its codes: what
the far end recorded can be compared byte by byte, without any product's code in between.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 8000
SLIPPED_PACKETS = 10
QUIET = 64  # of 32768: silence as A-law says it, and the least noise above it


def _expand(code: int) -> int:
    """One A-law code to 16-bit linear, from the standard's segments."""
    code ^= 0x55
    mantissa, segment = code & 0x0F, (code >> 4) & 0x07
    value = (mantissa << 4) + 8 if segment == 0 else ((mantissa << 4) + 0x108) << (segment - 1)
    return value if code & 0x80 else -value


A_LAW = np.array([_expand(code) for code in range(256)], np.int16)
_ORDER = np.argsort(A_LAW)
_VALUES = A_LAW[_ORDER].astype(np.int32)


def linear(codes: bytes) -> NDArray[np.int16]:
    """A-law codes as samples."""
    return A_LAW[np.frombuffer(codes, np.uint8)]


def make_clip(path: Path, seconds: float, seed: int) -> bytes:
    """Write a WAV of a tone that glides from 300 to 3300 Hz in noise, at -14 dBFS; its A-law codes."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * (300 * t + 1500 * t * t / seconds))
    noise = np.random.default_rng(seed).normal(0, 0.1, t.size)
    wanted = (6000 * (tone + noise)).astype(np.int32)
    above = np.clip(np.searchsorted(_VALUES, wanted), 1, 255)
    nearer = np.where(wanted - _VALUES[above - 1] <= _VALUES[above] - wanted, above - 1, above)
    codes = _ORDER[nearer].astype(np.uint8)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(A_LAW[codes].astype("<i2").tobytes())
    return codes.tobytes()


def heard_of(clip: bytes, recording: bytes) -> tuple[int, int]:
    """Where the clip begins in the recording, and how many of its samples follow unbroken: (-1, 0) if none do.

    A lost, doubled or changed sample ends the count, so a click or a gap shows as a count that is too small.
    """
    start = recording.find(clip[:80])
    if start < 0:
        return -1, 0
    both = min(len(clip), len(recording) - start)
    differ = np.flatnonzero(np.frombuffer(clip, np.uint8, both) != np.frombuffer(recording, np.uint8, both, start))
    return start, int(differ[0]) if differ.size else both


def likeness_db(clip: bytes, recording: NDArray[np.int16]) -> float:
    """How far above its difference from the clip a recording lies, best alignment: for what cannot be exact."""
    wanted = linear(clip).astype(np.float64)
    start = _aligned(wanted, recording)
    found = recording[start : start + len(wanted)].astype(np.float64)
    if len(found) < len(wanted):
        return 0.0
    return float(10 * np.log10(np.sum(wanted**2) / max(1.0, np.sum((found - wanted) ** 2))))


def share_heard(clip: bytes, recording: bytes, least_db: float = np.inf) -> float:
    """How much of the clip is in a recording, in pieces of 20 ms, each so far above its difference.

    A piece may lie a few packets beside its place: a busy machine loses some, and a buffer then slips. Without
    `least_db` a piece counts only if it is the same, sample by sample.
    """
    wanted, said = linear(clip).astype(np.float64), linear(recording)
    count, start = len(wanted) // 160, _aligned(wanted, said)
    pieces = wanted[: count * 160].reshape(count, 160)
    differ = np.full(count, np.inf)
    around = np.pad(said.astype(np.float64), (SLIPPED_PACKETS * 160, (count + SLIPPED_PACKETS) * 160))
    for shift in range(2 * SLIPPED_PACKETS + 1):
        found = around[start + shift * 160 :][: count * 160].reshape(count, 160)
        differ = np.minimum(differ, np.sum((found - pieces) ** 2, axis=1))
    return float(np.mean(differ <= np.sum(pieces**2, axis=1) / 10 ** (least_db / 10)))


def _aligned(wanted: NDArray[np.float64], recording: NDArray[np.int16]) -> int:
    """Where in the recording it is most like what is wanted."""
    size = 1 << int(np.ceil(np.log2(len(wanted) + len(recording))))
    product = np.fft.irfft(np.fft.rfft(recording.astype(np.float64), size) * np.conj(np.fft.rfft(wanted, size)))
    return int(np.argmax(product[: len(recording)]))
