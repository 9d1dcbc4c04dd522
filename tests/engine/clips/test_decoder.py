"""Decoding, without the process around it: what comes out of each format, and of each kind of bad file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clips.container import Container, recognise
from engine.clips.decoder import decode
from engine.clips.refusal import ClipRefused, Reason

ALL = [
    "wav", "wav, float", "wav, A-law", "wav, 24 bits", "wav, 8 bits", "mp3", "vorbis", "opus", "webm", "m4a", "alac",
    "aac", "flac", "amr", "3gp",
]  # fmt: skip


def refusal(file: bytes, max_s: int = 60, container: Container | None = None) -> Reason:
    with pytest.raises(ClipRefused) as caught:
        decode(file, container or recognise(file), max_s)
    return caught.value.reason


def likeness(heard: np.ndarray, said: np.ndarray) -> float:
    """The best correlation over all delays, 0 to 1."""
    size = 1 << (heard.size + said.size).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    return float(np.fft.irfft(spectrum).max() / np.linalg.norm(heard) / np.linalg.norm(said))


@pytest.mark.parametrize("name", ALL)
def test_each_format_says_what_was_said(make, speech, name):
    file = make(name)
    samples, clipped = decode(file, recognise(file), 60)
    assert samples.dtype == np.float32
    assert abs(samples.size - speech().size) < 800
    assert likeness(samples, speech()) > 0.8  # AMR at 12.2 kbit/s: 0.85, the others above 0.97
    assert clipped == 0


def test_linear_is_exact(pcm):
    samples = np.random.default_rng(1).uniform(-1, 1, 8000)
    heard, _ = decode(pcm(samples), Container.WAV, 60)
    assert np.array_equal(heard * 32768, np.rint(samples * 32767))


def test_a_browser_s_recording_has_no_length(make, speech):
    file = make("webm", piped=True)
    assert abs(decode(file, Container.MATROSKA, 60)[0].size - speech().size) < 800


@pytest.mark.parametrize("name", ["mp3", "webm", "aac", "amr", "flac"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.77, 0.99])
@pytest.mark.parametrize("piped", [False, True])
def test_cut_off(make, name, share, piped):
    file = make(name, piped=piped)
    assert refusal(file[: int(share * len(file))]) is Reason.CUT_OFF


def test_a_tag_at_the_end_is_no_damage(make, speech):
    file = make("mp3")
    for tag in (b"TAG" + bytes(125), b"APETAGEX" + bytes(200)):
        assert abs(decode(file + tag, Container.MP3, 60)[0].size - speech().size) < 800


def test_damage_in_the_middle(make):
    file = bytearray(make("flac"))
    file[len(file) // 3 : len(file) // 2] = np.random.default_rng(1).bytes(len(file) // 2 - len(file) // 3)
    assert refusal(bytes(file)) is Reason.CUT_OFF


@pytest.mark.parametrize(("size", "whole"), [(0xFFFFFFFF, True), (0xFFFFFFF0, False), (0x7FFFFFFF, False)])
def test_a_header_that_promises_gigabytes(pcm, claim, speech, size, whole):
    file = claim(pcm(speech()), size)
    if whole:  # a program that wrote into a pipe did not know
        assert decode(file, Container.WAV, 60)[0].size == speech().size
    else:
        assert refusal(file) is Reason.CUT_OFF


@pytest.mark.parametrize("sounds", [1, 3])
def test_a_film_s_first_sound_track(film, speech, sounds):
    samples, _ = decode(film(sounds, speech(48000)), Container.MATROSKA, 60)
    assert likeness(samples, speech()) > 0.9


def test_a_silent_film(film, speech):
    assert refusal(film(0, speech(48000))) is Reason.NO_SOUND


def test_many_channels_at_192_khz(pcm, speech):
    wide = np.repeat(speech(192000) / 2, 8)
    samples, _ = decode(pcm(wide, 192000, 8), Container.WAV, 60)
    assert samples.size == speech().size
    assert likeness(samples, speech()) > 0.99


def test_one_sample(pcm):
    assert decode(pcm(np.ones(1)), Container.WAV, 60)[0].size == 1


@pytest.mark.parametrize("rate", [1, 2_000_000_000])
def test_rates_that_cannot_be(pcm, rate):
    assert refusal(pcm(np.ones(1000), rate)) is Reason.NOT_AUDIO


def test_a_chain_of_recordings_at_different_rates(make, bomb, speech):
    samples, _ = decode(make("mp3") + bomb("mp3", 0.001), Container.MP3, 60)
    assert samples.size == pytest.approx(speech().size + 3.6 * 8000, abs=1600)


@pytest.mark.parametrize("name", ["flac", "opus", "mp3"])
def test_hours_of_silence_end_where_the_limit_is(bomb, name):
    file = bomb(name, 0.2)
    assert len(file) < 1 << 20
    assert refusal(file, max_s=20) is Reason.TOO_LONG


@pytest.mark.parametrize("container", Container)
def test_nothing_and_rubbish(container):
    for file in (b"", bytes(5000), np.random.default_rng(1).bytes(100_000)):
        assert refusal(file, container=container) in (Reason.NOT_AUDIO, Reason.CUT_OFF)


def test_no_other_file_is_read(tmp_path):
    """A picture list, a playlist and a script for libav, told to be each of ours."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for file in (f"#EXTM3U\n{secret}\n", f"ffconcat version 1.0\nfile '{secret}'\n", f"file '{secret}'\n"):
        for container in Container:
            assert refusal(file.encode(), container=container) in (Reason.NOT_AUDIO, Reason.CUT_OFF)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["mp3", "opus", "webm", "m4a", "flac", "amr", "wav"]), st.data())
def test_damaged_bytes_are_a_sound_or_a_refusal(make, name, data):
    file = bytearray(make(name)[:20000])
    for _ in range(data.draw(st.integers(1, 20))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        samples, _ = decode(bytes(file), recognise(bytes(file)) or Container.MP3, 60)
    except ClipRefused:
        return
    assert samples.size > 0
    assert np.isfinite(samples).all()
