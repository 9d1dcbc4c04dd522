"""The file of a spoken clip: a WAV that others can read, and that knows when it was spoilt."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from engine.clips import wav
from engine.speech import spoken
from engine.speech.spoken import Kept

SAMPLES = np.arange(-4000, 4000, dtype=np.int16)


@pytest.mark.parametrize("dropped", [(), ("з+амок",), ("з+амок", "м+ука")])
def test_there_and_back(tmp_path: Path, dropped: tuple[str, ...]) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(spoken.build(SAMPLES, dropped))
    assert spoken.read(file) == Kept(1000, dropped)
    sound = wav.read(file.read_bytes())
    assert sound.rate_hz == 8000
    assert np.array_equal(sound.samples * 32768, SAMPLES)
    with wave.open(str(file)) as other:
        assert (other.getnchannels(), other.getsampwidth(), other.getnframes()) == (1, 2, 8000)


def test_what_was_spoilt_is_not_there(tmp_path: Path) -> None:
    whole = spoken.build(SAMPLES, ())
    file = tmp_path / "a.wav"
    assert spoken.read(file) is None
    for broken in (b"", b"RIFF", whole[:-1], whole[:1000], whole[:500] + b"\xff" + whole[501:], whole + b"x"):
        file.write_bytes(broken)
        assert spoken.read(file) is None
