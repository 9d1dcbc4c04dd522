"""Jitter by sparser samples than the RFC's, and MOS against the tables of the E-model."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media.arrivals import EVERY
from engine.media.statistics import BPL_CONCEALED, jitter_step, mos, mouth_to_ear_ms


def rfc3550(arrivals, timestamps) -> float:
    """Appendix A.8, packet by packet."""
    jitter, before = 0.0, None
    for arrival, timestamp in zip(arrivals, timestamps, strict=True):
        transit = arrival - timestamp
        if before is not None:
            jitter += (abs(transit - before) - jitter) / 16
        before = transit
    return jitter


def sampled(arrivals, timestamps, every=EVERY) -> float:
    transit = jitter = np.zeros(1)
    samples = np.zeros(1, np.int64)
    for arrival, timestamp in zip(arrivals[::every], timestamps[::every], strict=True):
        now = np.array([arrival - timestamp % (1 << 32)])
        jitter, samples = jitter_step(now, transit, jitter, samples)
        transit = now
    return float(jitter[0])


@pytest.mark.parametrize("spread", [4.0, 80.0, 480.0])
def test_sparser_samples_estimate_the_same_jitter(spread):
    """Delays spread evenly over `spread` units (a third of it is E|D|), clocks 100 ppm apart, timestamps that wrap."""
    chance = np.random.default_rng(3)
    timestamps = (1 << 32) - 160_000 + 160 * np.arange(20_000)
    estimates = []
    for _ in range(8):
        arrivals = timestamps * 1.0001 + chance.uniform(0, spread, timestamps.size)
        estimates.append((sampled(arrivals, timestamps), rfc3550(arrivals, timestamps)))
    ours, theirs = np.mean(estimates, axis=0)
    assert ours == pytest.approx(spread / 3, rel=0.15, abs=0.2)
    assert ours == pytest.approx(theirs, rel=0.2, abs=0.2)


def test_a_short_call_is_not_taken_for_a_calm_one():
    """Twelve samples are four seconds: averaged evenly they tell what is; by sixteenths, half of it."""
    chance = np.random.default_rng(4)
    timestamps = 160 * np.arange(12 * EVERY)
    estimates = [sampled(timestamps + chance.uniform(0, 90, 12 * EVERY), timestamps) for _ in range(50)]
    assert np.mean(estimates) == pytest.approx(30, rel=0.1)


def test_timestamps_that_begin_anew_are_no_jitter():
    timestamps = np.concatenate([160 * np.arange(80), 3_000_000_000 + 160 * np.arange(80)])
    assert sampled(160.0 * np.arange(160), timestamps, every=1) == 0


def test_rows_are_by_themselves():
    transit, before = np.array([10.0, 10.0, 90_000.0]), np.array([2.0, 0.0, 0.0])
    jitter, samples = jitter_step(transit, before, np.array([4.0, 0.0, 5.0]), np.array([40, 0, 7]))
    assert jitter.tolist() == [4.25, 0.0, 5.0]
    assert samples.tolist() == [41, 1, 7]


@pytest.mark.parametrize(
    ("loss", "delay_ms", "least", "most"),
    [
        (0.0, 0, 4.40, 4.42),  # G.107: R = 93.2 is 4.41
        (0.0, 150, 4.3, 4.4),
        (0.0, 400, 3.0, 3.7),  # G.114: the limit of what is acceptable
        (0.02, 20, 4.1, 4.3),
        (0.2, 20, 2.4, 2.8),
        (1.0, 0, 1.0, 1.4),
    ],
)
def test_mos(loss, delay_ms, least, most):
    assert least <= mos(loss, delay_ms, BPL_CONCEALED) <= most


def test_mos_falls_and_stays_in_its_bounds():
    scores = [mos(loss / 100, 20) for loss in range(-5, 120)]
    assert scores == sorted(scores, reverse=True)
    assert all(1 <= score <= 4.5 for score in scores)
    assert mos(0.0, 1e6) == 1.0


def test_mouth_to_ear():
    assert mouth_to_ear_ms(100, 5) == 50 + 20 + 10
