"""An upload, whole: what is kept of it, and the words of each refusal."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from engine.clips import wav
from engine.clips.level import TARGET_DBOV, active_dbov
from engine.clips.refusal import TEMPLATES, ClipRefused, Reason
from engine.clips.upload import Limits, prepare, prepare_own

LIMITS = Limits(max_bytes=5 << 20, max_s=20)


def refused(file: bytes, limits: Limits = LIMITS) -> ClipRefused:
    with pytest.raises(ClipRefused) as caught:
        prepare(file, limits)
    return caught.value


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "webm", "m4a", "amr"])
def test_what_is_kept(make, name):
    prepared = prepare(make(name, gain=0.2), LIMITS)
    sound = wav.read(prepared.wav)
    assert prepared.wav[:4] == b"RIFF"
    assert len(prepared.wav) == 44 + 2 * sound.samples.size
    assert sound.rate_hz == 8000
    assert prepared.duration_ms == pytest.approx(5200, abs=60)
    assert active_dbov(sound.samples) == pytest.approx(TARGET_DBOV, abs=0.6)


def test_the_same_bytes_give_the_same_bytes(make):
    assert prepare(make("mp3"), LIMITS) == prepare(make("mp3"), LIMITS)


def test_what_was_prepared_is_prepared(make):
    once = prepare(make("m4a"), LIMITS)
    assert prepare(once.wav, LIMITS) == once
    assert prepare_own(once.wav, LIMITS) == once


def test_speech_of_our_own(pcm, speech):
    prepared = prepare_own(pcm(np.concatenate([np.zeros(22050), speech(22050) * 0.3]), 22050), LIMITS)
    assert prepared.duration_ms == pytest.approx(5300, abs=150)
    with pytest.raises(ClipRefused, match="at most 2 s"):
        prepare_own(pcm(speech()), Limits(1 << 20, 2))


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda wav: b"", "clip_empty", "is empty"),
        (lambda wav: wav + bytes(6 << 20), "clip_too_large", "at most 5 MB"),
        (lambda wav: b"<html>", "clip_not_audio", "save it as WAV, MP3"),
        (lambda wav: wav[:-2], "clip_cut_off", "copy or export it again"),
        (lambda wav: wav[:44] + bytes(len(wav) - 44), "clip_silent", "microphone"),
    ],
)
def test_refusals(pcm, speech, spoil, code, words):
    error = refused(spoil(pcm(speech())))
    assert error.code == code
    assert words in str(error)


def test_lengths(pcm, speech):
    assert refused(pcm(np.tile(speech(), 4))).code == "clip_too_long"
    assert (refused(pcm(np.ones(1))).code, refused(pcm(np.ones(799))).params["ms"]) == ("clip_too_short", 99)
    assert prepare(pcm(np.sin(np.arange(800))), LIMITS).duration_ms == 100


def test_overdriven(pcm, speech):
    error = refused(pcm(np.clip(speech() * 8, -1, 1)))
    assert error.code == "clip_clipped"
    assert str(error) == error.template.format(**error.params)
    assert 3 < error.params["percent"] < 30


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_one_line_with_a_remedy(reason):
    params = {"max_mb": 25, "max_s": 300, "ms": 1, "min_ms": 100, "percent": 7}
    error = ClipRefused(reason, **params)
    assert "\n" not in str(error)
    assert {";", ","} & set(str(error))
    assert TEMPLATES[reason] == error.template
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, str(again)) == (error.code, str(error))
