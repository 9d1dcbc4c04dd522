"""Levels of frames."""

from __future__ import annotations

import numpy as np
import pytest

from detection.key_tone import is_key_tone
from detection.level import SILENCE_DBM0, dbm0, energies, energy_of


def test_a_full_scale_sine_is_3_14_dbm0() -> None:
    sine = np.round(32767 * np.sin(2 * np.pi * np.arange(160) / 8)).astype(np.int16)
    assert dbm0(int(energies(sine[None])[0]), 160) == pytest.approx(3.14, abs=0.01)


def test_energies_do_not_overflow() -> None:
    loudest = np.full((2, 160), -32768, np.int16)
    assert energies(loudest).tolist() == [160 * 2**30] * 2


def test_silence_has_a_level() -> None:
    assert dbm0(0, 160) == SILENCE_DBM0
    assert dbm0(int(energy_of(-48, 160)), 160) == pytest.approx(-48, abs=0.01)


@pytest.mark.parametrize(("parts", "is_key"), [((770, 1336), True), ((770,), False), ((300, 600, 900), False)])
def test_key_tones(parts: tuple[int, ...], is_key: bool) -> None:
    at = np.arange(160) / 8000
    frame = sum(5000 * np.sin(2 * np.pi * hz * at) for hz in parts).astype(np.int16)  # type: ignore[union-attr]
    assert is_key_tone(frame, int(energies(frame[None])[0])) is is_key
    assert not is_key_tone(np.zeros(160, np.int16), 0)
