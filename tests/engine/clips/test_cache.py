"""Clips are converted once, exactly, and every bad one is one line."""

from __future__ import annotations

import multiprocessing
import os
import struct
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.clips import encoded
from engine.clips.cache import MAX_S, Clip, ClipCache, ClipError
from engine.media.g711 import Law, decode, encode


def write(path: Path, samples: np.ndarray, rate: int = 8000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as writer:
        writer.setparams((channels, 2, rate, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return path


def codes(clip: Clip, law: Law) -> np.ndarray:
    file = clip.path.read_bytes()
    header = encoded.check(file)
    return np.frombuffer(file, np.uint8, header.samples, header.offset(law))


def tone(rate: int, seconds: float, hz: float = 440) -> np.ndarray:
    return np.rint(12000 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate))


@pytest.fixture
def cache(tmp_path: Path) -> ClipCache:
    return ClipCache(tmp_path / "cache")


def test_linear_at_8_khz_is_only_encoded(cache, tmp_path):
    samples = np.random.default_rng(3).integers(-32768, 32768, 1237).astype(np.int16)
    clip = cache.prepare(write(tmp_path / "a.wav", samples))
    assert clip.duration_ms == 155
    for law in Law:
        assert np.array_equal(codes(clip, law), encode(samples, law))


def test_a_law_at_8_khz_goes_through_bit_for_bit(cache, tmp_path):
    sound = np.random.default_rng(4).integers(0, 256, 4000).astype(np.uint8).tobytes()
    form = struct.pack("<HHIIHHH", 6, 1, 8000, 8000, 1, 8, 0)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", 18) + form + struct.pack("<4sI", b"data", 4000) + sound
    (tmp_path / "a.wav").write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    assert codes(cache.prepare(tmp_path / "a.wav"), Law.A).tobytes() == sound


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_rates_and_channels(cache, tmp_path, rate, channels):
    samples = np.repeat(tone(rate, 1.5), channels)
    clip = cache.prepare(write(tmp_path / "a.wav", samples, rate, channels))
    assert clip.duration_ms == 1500
    heard = decode(codes(clip, Law.A), Law.A).astype(float)
    error = (heard - tone(8000, 1.5))[400:-400]  # a resampler needs its room at the ends
    assert np.sqrt((error**2).mean()) < 300
    spectrum = np.abs(np.fft.rfft(heard[:8000]))
    assert spectrum.argmax() == 440


def test_what_8_khz_cannot_carry_is_filtered(cache, tmp_path):
    clip = cache.prepare(write(tmp_path / "a.wav", tone(48000, 1, 7000), 48000))
    assert np.abs(decode(codes(clip, Law.A), Law.A)[400:-400]).max() < 60


@pytest.mark.parametrize("name", ["mp3", "opus", "m4a", "amr"])
def test_other_formats_are_as_loud_as_they_are(cache, tmp_path, make, speech, name):
    (tmp_path / "a.wav").write_bytes(make(name))
    clip = cache.prepare(tmp_path / "a.wav")
    heard = decode(codes(clip, Law.A), Law.A) / 32768
    assert heard.size == pytest.approx(speech().size, abs=800)
    assert np.sqrt((heard**2).mean()) == pytest.approx(np.sqrt((speech() ** 2).mean()), rel=0.1)


def test_what_was_decoded_once_is_not_decoded_again(cache, tmp_path, make, monkeypatch):
    (tmp_path / "a.mp3").write_bytes(make("mp3"))
    clip = cache.prepare(tmp_path / "a.mp3")
    monkeypatch.setattr(subprocess, "Popen", None)
    assert cache.prepare(tmp_path / "a.mp3") == clip


@pytest.mark.parametrize("samples", [1, 2, 159, 160, 161])
def test_short_clips(cache, tmp_path, samples):
    assert codes(cache.prepare(write(tmp_path / "a.wav", np.ones(samples))), Law.A).size == samples
    assert cache.prepare(write(tmp_path / "b.wav", np.ones(6 * samples), 48000)).path.exists()


def test_the_same_content_is_one_clip(cache, tmp_path):
    first = cache.prepare(write(tmp_path / "a.wav", tone(8000, 0.1)))
    written = first.path.stat().st_mtime_ns
    assert cache.prepare(write(tmp_path / "b.wav", tone(8000, 0.1))) == first
    assert first.path.stat().st_mtime_ns == written
    assert cache.prepare(write(tmp_path / "a.wav", tone(8000, 0.2))).key != first.key


@pytest.mark.parametrize(
    "spoil", [lambda f: f[:-1], lambda f: f[:10], lambda f: b"", lambda f: f[:99] + b"!" + f[100:]]
)
def test_a_spoilt_file_is_made_anew(cache, tmp_path, spoil):
    clip = cache.prepare(write(tmp_path / "a.wav", tone(8000, 0.1)))
    good = clip.path.read_bytes()
    clip.path.write_bytes(spoil(good))
    assert cache.prepare(tmp_path / "a.wav") == clip
    assert clip.path.read_bytes() == good
    assert [path.name for path in clip.path.parent.iterdir()] == [clip.path.name]


def _prepare(folder: str, source: str) -> str:
    return ClipCache(Path(folder)).prepare(Path(source)).key


def test_many_processes_at_once(tmp_path):
    source = write(tmp_path / "a.wav", tone(44100, 2), 44100)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        keys = pool.starmap(_prepare, [(str(tmp_path / "cache"), str(source))] * 6)
    assert len(set(keys)) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"not audio at all"), "is no sound file"),
        (lambda path: write(path, np.zeros(0)), "holds no sound|empty"),
        (lambda path: path.write_bytes(write(path, np.ones(999)).read_bytes()[:-7]), "cut off"),
        (lambda path: write(path, np.zeros((MAX_S + 1) * 8000)), "at most 300 s"),
        (lambda path: write(path, np.zeros(1), 48000), "shorter"),
        (lambda path: path.write_bytes(b"OggS" + bytes(99)), "no sound file"),
        (lambda path: path.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n"), "no sound file"),
    ],
)
def test_bad_clips_are_one_line(cache, tmp_path, make, text):
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(ClipError, match=text) as caught:
        cache.prepare(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_how_long_is_configured(tmp_path, make):
    (tmp_path / "a.mp3").write_bytes(make("mp3"))
    write(tmp_path / "b.wav", tone(8000, 5))
    for name in ("a.mp3", "b.wav"):
        with pytest.raises(ClipError, match="at most 4 s"):
            ClipCache(tmp_path / "cache", max_s=4).prepare(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable(cache, tmp_path):
    path = write(tmp_path / "a.wav", np.ones(9))
    path.chmod(0)
    with pytest.raises(ClipError, match="make it readable"):
        cache.prepare(path)


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClipError, match="name a folder"):
        ClipCache(tmp_path / "file" / "cache").prepare(write(tmp_path / "a.wav", np.ones(9)))
