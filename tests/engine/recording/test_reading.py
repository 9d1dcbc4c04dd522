"""The picture of a recording: each side's loudness, whatever the file's format is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.recording.ogg import OggFile
from engine.recording.reading import loudest
from engine.recording.wav import WavFile

SECOND = 8000


def talk() -> np.ndarray:
    """Three seconds: the callee sounds in the first, we in the last, twice as loud."""
    times = np.arange(SECOND)
    tone = np.sin(times * 2 * np.pi * 440 / SECOND) * 8192
    samples = np.zeros((3 * SECOND, 2))
    samples[:SECOND, 0], samples[2 * SECOND :, 1] = tone, 2 * tone
    return samples.astype(np.int16)


@pytest.mark.parametrize(("kind", "suffix"), [(WavFile, ".wav"), (OggFile, ".ogg")])
def test_each_side_and_when(tmp_path: Path, kind: type, suffix: str) -> None:
    path = tmp_path / f"call{suffix}"
    file = kind(path.open("wb", buffering=0))
    for at in range(0, 3 * SECOND, 160):
        file.write(talk()[at : at + 160])
    file.close()
    callee, us = loudest(path, 6)  # the parts at the borders have something of both
    assert [callee[0], us[5]] == pytest.approx([0.25, 0.5], abs=0.03)
    assert max(callee[3:] + us[:3]) < 0.02


def test_short_and_empty(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    file = WavFile(path.open("wb", buffering=0))
    assert loudest(path, 10) == [[], []]
    file.write(talk()[:200])
    assert [len(side) for side in loudest(path, 10)] == [2, 2]
    file.close()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "call.ogg").write_bytes(b"OggS nonsense")
    for name in ("call.ogg", "gone.ogg", "gone.wav"):
        with pytest.raises(OSError, match=r"call|gone"):
            loudest(tmp_path / name, 10)
