"""Overdriven speech is told from loud speech, tones and music, before and after lossy coding.

There is no standard for it. The speech of the sample script is driven over full scale by a known number of decibels;
what is 9 dB over crackles plainly, what is 3 dB over is hardly heard.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.clips.clipping import ClippingMeter
from engine.clips.container import recognise
from engine.clips.decoder import decode

SECOND = np.arange(44100) / 44100


def clipped(*blocks: np.ndarray) -> float:
    meter = ClippingMeter()
    for block in blocks:
        meter.feed(np.abs(block).astype(np.float32))
    return meter.clipped


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize(("over_db", "heard"), [(-10, False), (0, False), (3, False), (10, True), (18, True)])
def test_speech(speech, rate, over_db, heard):
    samples = speech(rate) / np.abs(speech(rate)).max()
    assert bool(clipped(np.clip(samples * 10 ** (over_db / 20), -1, 1))) is heard


@pytest.mark.parametrize("name", ["wav", "wav, A-law", "mp3", "opus", "webm", "flac"])
def test_through_a_codec(make, name):
    loud, overdriven = make(name, gain=1.7), make(name, gain=6.0)
    assert decode(loud, recognise(loud), 60)[1] == 0
    assert 0.03 < decode(overdriven, recognise(overdriven), 60)[1] < 0.2


@pytest.mark.parametrize(
    "sound",
    [
        np.sin(2 * np.pi * 440 * SECOND),
        0.5 * np.sin(2 * np.pi * 770 * SECOND) + 0.5 * np.sin(2 * np.pi * 1336 * SECOND),
        2 * (62.5 * SECOND % 1) - 1,
        0.95 * np.tanh(0.6 * sum(np.sin(2 * np.pi * hz * SECOND + hz) for hz in (110, 220, 331, 447, 663, 1200))),
        0.3 * np.sign(np.sin(2 * np.pi * 440 * SECOND)),
    ],
    ids=["sine", "digit", "sawtooth", "loud master", "square, not at full scale"],
)
def test_what_is_loud_by_intent(sound):
    assert clipped(sound) == 0


def test_silence_and_clicks():
    assert clipped() == clipped(np.zeros(1000)) == 0
    assert clipped(0.1 * np.sin(2 * np.pi * 440 * SECOND), np.ones(50)) == 0


def test_the_share_is_of_what_sounds():
    square = np.sign(np.sin(2 * np.pi * 440 * SECOND) + 1e-9)
    assert clipped(square, np.zeros(44100)) == 1
