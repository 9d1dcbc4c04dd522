"""What a sound becomes before it is kept: 8 kHz, 16 bits, one channel, trimmed, at one loudness - or refused.

The same bytes give the same bytes. Everything here blocks and may be called from any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.clips import level, wav
from engine.clips.decode import decode
from engine.clips.rate import at_8_khz, to_linear
from engine.clips.refusal import ClipRefused, Reason
from engine.clips.wav import Samples
from engine.media.rtp import CLOCK_HZ

MIN_MS: Final = 100  # a shorter one is a slip of the finger


@dataclass(frozen=True, slots=True)
class Limits:
    """What an upload may be at most."""

    max_bytes: int
    max_s: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A WAV file, ready to be kept."""

    wav: bytes
    duration_ms: int


def prepare(content: bytes, limits: Limits) -> Prepared:
    """From a file of any known format that a stranger sent. ClipRefused; OSError of the machine."""
    if len(content) > limits.max_bytes:
        raise ClipRefused(Reason.TOO_LARGE, max_mb=limits.max_bytes >> 20)
    decoded = decode(content, limits.max_s)
    _check_length(decoded.samples)
    if decoded.clipped:
        raise ClipRefused(Reason.CLIPPED, percent=round(100 * decoded.clipped))
    return _finish(decoded.samples)


def prepare_own(file: bytes, limits: Limits) -> Prepared:
    """From a WAV file that we made ourselves (speech). ClipRefused; wav.WavError if we made it badly."""
    samples = at_8_khz(wav.read(file))
    if samples.size > limits.max_s * CLOCK_HZ:
        raise ClipRefused(Reason.TOO_LONG, max_s=limits.max_s)
    _check_length(samples)
    return _finish(samples)


def _check_length(samples: Samples) -> None:
    if samples.size * 1000 < MIN_MS * CLOCK_HZ:
        raise ClipRefused(Reason.TOO_SHORT, ms=samples.size * 1000 // CLOCK_HZ, min_ms=MIN_MS)


def _finish(samples: Samples) -> Prepared:
    linear = to_linear(level.bring(samples))
    return Prepared(wav.build(linear, CLOCK_HZ), round(linear.size * 1000 / CLOCK_HZ))
