"""Loudness and silence, on real speech whose level and pauses the test has set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clips.level import CEILING, TARGET_DBOV, active_dbov, bring
from engine.clips.refusal import ClipRefused

TONE = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(8000 * seconds), np.float32)


def test_a_tone_has_its_power():
    assert active_dbov(TONE) == pytest.approx(-3.01, abs=0.01)
    assert active_dbov(np.ones(8000)) == pytest.approx(0, abs=0.01)
    assert active_dbov(silence(1)) == -np.inf


def test_the_target_is_rfc_7874_s():
    assert pytest.approx(2600, rel=0.01) == 32767 * 10 ** (TARGET_DBOV / 20)


@pytest.mark.parametrize("pause_s", [1, 5, 30])
def test_pauses_do_not_count(speech, pause_s):
    alone = active_dbov(speech())
    assert active_dbov(np.concatenate([speech(), silence(pause_s), speech()])) == pytest.approx(alone, abs=0.5)
    noise = np.random.default_rng(1).normal(0, 0.0005, 8000 * pause_s)
    assert active_dbov(np.concatenate([speech(), noise, speech()])) == pytest.approx(alone, abs=0.5)


@pytest.mark.parametrize("gain_db", [-25, -10, 0, 4, 12])
def test_one_loudness(speech, gain_db):
    brought = bring(speech() * np.float32(10 ** (gain_db / 20)))
    assert active_dbov(brought) == pytest.approx(TARGET_DBOV, abs=0.6)
    assert np.abs(brought).max() <= 1


def test_what_was_brought_stays_as_it_is(speech):
    once = bring(np.concatenate([silence(2), speech() * np.float32(0.2), silence(2)]))
    assert np.array_equal(bring(once), once)


def test_silence_at_the_ends_goes_and_some_of_it_stays(speech):
    noise = np.random.default_rng(1).normal(0, 0.0003, 24000).astype(np.float32)
    brought = bring(np.concatenate([noise, TONE * 0.1, silence(0.5), TONE * 0.1, noise]))
    assert brought.size == pytest.approx(800 + 8000 + 4000 + 8000 + 1600, abs=80)
    assert np.abs(brought[:700]).max() < 0.02
    assert np.abs(brought[800:900]).max() > 0.05
    assert abs(brought[0]) < 1e-6  # faded where it was cut
    assert abs(brought[-1]) < 1e-6


def test_less_silence_than_stays_is_not_touched():
    sound = np.concatenate([silence(0.05), TONE * 0.1, silence(0.1)])
    assert bring(sound).size == sound.size


def test_peaks_are_taken_down_without_flat_tops(speech):
    sound = speech() * np.float32(0.05)
    sound[20000:20040] += np.hanning(40).astype(np.float32) * 0.08  # a cough, high above the speech
    brought = bring(sound)
    assert np.abs(brought).max() <= CEILING + 1e-6
    assert np.count_nonzero(np.abs(brought) > 0.999 * CEILING) < 5
    assert active_dbov(brought) == pytest.approx(TARGET_DBOV, abs=1)
    far = slice(0, 19000)
    ratio = brought[800 : far.stop] / np.where(sound[800 : far.stop] == 0, 1, sound[800 : far.stop])
    loud = np.abs(sound[800 : far.stop]) > 0.001
    assert np.ptp(ratio[loud]) < 1e-3  # elsewhere one gain for all


def test_a_peak_too_high_to_limit_makes_all_less_loud(speech):
    sound = speech() * np.float32(0.02)
    sound[20000] = 0.9
    brought = bring(sound)
    assert np.abs(brought).max() <= CEILING + 1e-6
    assert active_dbov(brought) < TARGET_DBOV


@pytest.mark.parametrize("sound", [silence(2), np.random.default_rng(1).normal(0, 0.0005, 16000).astype(np.float32)])
def test_silence_is_refused(sound):
    with pytest.raises(ClipRefused, match="is silent"):
        bring(sound)


@given(st.integers(1, 4000), st.floats(-50, 0), st.integers(0, 1 << 32))
def test_anything_that_sounds_fits(size, level_db, seed):
    sound = np.random.default_rng(seed).standard_cauchy(size)
    sound = np.clip(sound / np.abs(sound).max(), -1, 1) * 10 ** (level_db / 20)
    try:
        brought = bring(sound.astype(np.float32))
    except ClipRefused:
        return
    assert 0 < brought.size <= size
    assert np.abs(brought).max() <= 1
