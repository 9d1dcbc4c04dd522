"""What a callee hears while a manager is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import waiting
from engine.clips import wav
from engine.config import ConfigError, parse
from engine.engine import Engine
from engine.orders import Tone


def test_ringback_is_a_second_of_425_hz_and_four_of_nothing(tmp_path: Path) -> None:
    sound = wav.read(waiting.write(Tone.RINGBACK, tmp_path).read_bytes())
    assert sound.samples.size == 5 * 8000
    spectrum = np.abs(np.fft.rfft(sound.samples[:8000]))
    assert np.argmax(spectrum) == 425
    assert not sound.samples[8000:].any()


def test_hold_is_soft_and_joins_without_a_click(tmp_path: Path) -> None:
    samples = wav.read(waiting.write(Tone.HOLD, tmp_path).read_bytes()).samples
    assert 0.01 < np.abs(samples).max() < 0.05
    again = np.tile(samples, 2)
    assert np.abs(np.diff(again)).max() < 0.02


def test_a_file_that_somebody_spoilt_is_made_anew(tmp_path: Path) -> None:
    path = waiting.write(Tone.HOLD, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert waiting.write(Tone.HOLD, tmp_path).read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.anyio
async def test_a_clip_of_the_operators_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"media\.hold: .*no such file"):
        async with Engine.open(parse({"media": {"hold": str(tmp_path / "music.wav")}}), calls=1):
            pass
