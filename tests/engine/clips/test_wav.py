"""Every kind of WAV that we read says the same; what is broken says how."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clips.wav import WavError, read

RAMP = np.linspace(-0.9, 0.9, 801)


def riff(form: bytes, data: bytes, size: int | None = None, between: bytes = b"") -> bytes:
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form + between
    body += struct.pack("<4sI", b"data", len(data) if size is None else size) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def fmt(tag: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def pcm(bits: int) -> bytes:
    if bits == 8:
        return (np.rint(RAMP * 128) + 128).astype(np.uint8).tobytes()
    values = np.rint(RAMP * (1 << (bits - 1))).astype("<i8")
    return b"".join(int(value).to_bytes(bits // 8, "little", signed=True) for value in values)


@pytest.mark.parametrize(
    ("form", "data", "error"),
    [
        (fmt(bits=8), pcm(8), 1 / 128),
        (fmt(bits=16), pcm(16), 1 / 32768),
        (fmt(bits=24), pcm(24), 1e-6),
        (fmt(bits=32), pcm(32), 1e-6),
        (fmt(3, bits=32), RAMP.astype("<f4").tobytes(), 1e-6),
        (fmt(3, bits=64), RAMP.astype("<f8").tobytes(), 1e-6),
        (fmt(0xFFFE, bits=16) + struct.pack("<HHIH14x", 22, 16, 4, 1), pcm(16), 1 / 32768),
    ],
)
def test_kinds(form, data, error):
    sound = read(riff(form, data))
    assert sound.rate_hz == 8000
    assert np.abs(sound.samples - RAMP).max() <= error


def test_companded():
    assert read(riff(fmt(6, bits=8), b"\xd5\x2a")).samples.tolist() == [8 / 32768, -32256 / 32768]
    assert read(riff(fmt(7, bits=8), b"\xff\x00")).samples.tolist() == [0, -32124 / 32768]


def test_stereo_is_mixed():
    data = np.array([[1000, 3000], [-4000, 0]], "<i2").tobytes()
    assert (read(riff(fmt(channels=2), data)).samples * 32768).tolist() == [2000, -2000]


def test_other_chunks_and_odd_sizes():
    between = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    assert read(riff(fmt(), b"\1\0", between=between) + b"id3 \x02\0\0\0xx").samples.size == 1


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_streamed_without_a_size(size):
    assert read(riff(fmt(), pcm(16), size)).samples.size == RAMP.size


def test_a_half_sample_at_the_end_is_dropped():
    assert read(riff(fmt(), b"\1\0\2\0\3")).samples.size == 2


def test_floats_that_are_no_numbers():
    data = np.array([np.nan, np.inf, -np.inf, 0.5], "<f4").tobytes()
    assert read(riff(fmt(3, bits=32), data)).samples.tolist() == [0, 1, -1, 0.5]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (b"", "no WAV"),
        (b"ID3\x03 an mp3 of some length", "no WAV"),
        (riff(fmt(), b""), "no sound"),
        (riff(fmt(), b"\1"), "empty"),
        (riff(fmt(), pcm(16))[:400], "cut off"),
        (riff(fmt(), b"")[:30], "cut off"),
        (riff(fmt()[:12], b"\1\0"), "broken header"),
        (riff(b"", pcm(16)), "broken header"),
        (riff(fmt(channels=6), pcm(16)), "6 channels"),
        (riff(fmt(channels=0), pcm(16)), "0 channels"),
        (riff(fmt(rate=96000), pcm(16)), "96000 Hz"),
        (riff(fmt(rate=4000), pcm(16)), "4000 Hz"),
        (riff(fmt(0x55, bits=0), pcm(16)), "format 85"),
        (riff(fmt(bits=12), pcm(16)), "12 bits"),
        (riff(struct.pack("<HHIIHH", 1, 1, 8000, 16000, 3, 16), pcm(16)), "block size"),
        (b"RIFF\0\0\0\0WAVE" + struct.pack("<4sI", b"data", 2) + b"\0\0", "before its format"),
        (b"RIFF\0\0\0\0WAVE", "broken header"),
    ],
)
def test_broken(file, text):
    with pytest.raises(WavError, match=text):
        read(file)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_anything_is_a_sound_or_a_wav_error(noise, at):
    file = bytearray(riff(fmt(), pcm(16)))
    file[at : at + len(noise)] = noise
    try:
        sound = read(bytes(file))
    except WavError:
        return
    assert sound.samples.size > 0
    assert np.isfinite(sound.samples).all()
