"""Reads back what was recorded, a piece at a time: a call of half an hour is never in memory whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from engine.media.rtp import CLOCK_HZ
from engine.recording.channels import CHANNELS, Linear
from engine.recording.wav import HEADER, SAMPLE_BYTES

PIECE: Final = 1 << 16  # samples of a WAV file


def read(path: Path) -> Iterator[Linear]:
    """Samples (n, 2) at 8 kHz, in order. OSError where it is no file of ours; of Opus, as it was encoded."""
    if path.suffix == ".ogg":
        from engine.recording.ogg import pieces  # libav takes time to load, and is not always wanted

        return pieces(path)
    return _wav(path)


def loudest(path: Path, parts: int) -> list[list[float]]:
    """For each channel the loudest sample of each of so many parts, 0 to 1; fewer parts of a short one. As `read`."""
    step = CLOCK_HZ // 50
    blocks: list[Linear] = []
    rest = np.zeros((0, CHANNELS), np.int16)
    for piece in read(path):
        samples = np.concatenate([rest, piece])
        whole = len(samples) // step * step
        blocks.append(np.abs(samples[:whole].astype(np.float32)).reshape(-1, step, CHANNELS).max(axis=1))
        rest = samples[whole:]
    if len(rest):
        blocks.append(np.abs(rest.astype(np.float32)).max(axis=0, keepdims=True))
    if not blocks:
        return [[] for _ in range(CHANNELS)]
    peaks = np.concatenate(blocks) / 32768
    edges = np.arange(min(parts, len(peaks))) * len(peaks) // min(parts, len(peaks))
    return [[round(float(peak), 3) for peak in np.maximum.reduceat(peaks[:, side], edges)] for side in range(CHANNELS)]


def _wav(path: Path) -> Iterator[Linear]:
    with path.open("rb") as file:
        file.seek(HEADER.size)
        while piece := file.read(PIECE * SAMPLE_BYTES):
            whole = len(piece) // SAMPLE_BYTES * SAMPLE_BYTES
            yield np.frombuffer(piece[:whole], "<i2").astype(np.int16).reshape(-1, CHANNELS)
