"""Real speech, and real files made of it by libav's own encoders."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soxr

import configs
from engine.clips import wav

SPEECH = Path(configs.__path__[0]) / "scripts" / "appointment" / "greeting.wav"
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
# name: demuxer, encoder, rate, channels, options
FORMATS: dict[str, tuple[str, str, int, int, dict[str, str]]] = {
    "wav": ("wav", "pcm_s16le", 44100, 2, {}),
    "wav, float": ("wav", "pcm_f32le", 44100, 2, {}),
    "wav, A-law": ("wav", "pcm_alaw", 44100, 2, {}),
    "wav, 24 bits": ("wav", "pcm_s24le", 48000, 2, {}),
    "wav, 8 bits": ("wav", "pcm_u8", 11025, 1, {}),
    "mp3": ("mp3", "libmp3lame", 44100, 2, {}),
    "vorbis": ("ogg", "vorbis", 44100, 2, {"strict": "experimental"}),
    "opus": ("ogg", "libopus", 48000, 2, {}),
    "webm": ("webm", "libopus", 48000, 1, {}),
    "m4a": ("ipod", "aac", 44100, 2, {}),
    "alac": ("ipod", "alac", 44100, 2, {}),
    "aac": ("adts", "aac", 44100, 2, {}),
    "flac": ("flac", "flac", 44100, 2, {}),
    "amr": ("amr", "libopencore_amrnb", 8000, 1, {"b": "12200"}),
    "3gp": ("3gp", "libopencore_amrnb", 8000, 1, {"b": "12200"}),
}


class _Pipe(io.RawIOBase):
    """What a browser records into: written once, from the beginning to the end."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self.content += bytes(piece)
        return len(piece)


def encode(
    form: str, codec: str, samples: np.ndarray, rate: int, options: dict[str, str], piped: bool = False
) -> bytes:
    """A file of samples (channels, n) from -1 to 1."""
    target: Any = _Pipe() if piped else io.BytesIO()
    layout = LAYOUTS[samples.shape[0]]
    with av.open(target, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, options=options)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout)
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return bytes(target.content if piped else target.getvalue())


@pytest.fixture(scope="session")
def speech() -> Callable[..., np.ndarray]:
    """`speech(rate)`: some 5 s, peaks at 0.58."""
    samples = wav.read(SPEECH.read_bytes()).samples

    def at(rate: int = 8000) -> np.ndarray:
        return np.asarray(soxr.resample(samples, 8000, rate, "HQ"))

    return at


@pytest.fixture(scope="session")
def make(speech: Callable[..., np.ndarray]) -> Callable[..., bytes]:
    """`make("mp3", gain=1, piped=False)`: speech as such a file."""

    def file(name: str, gain: float = 1.0, piped: bool = False) -> bytes:
        form, codec, rate, channels, options = FORMATS[name]
        samples = np.clip(speech(rate) * gain, -1, 1)
        return encode(form, codec, np.stack([samples] * channels), rate, options, piped)

    return file


@pytest.fixture(scope="session")
def pcm() -> Callable[..., bytes]:
    """`pcm(samples, rate, channels)`: a WAV file of floats, interleaved."""

    def file(samples: np.ndarray, rate: int = 8000, channels: int = 1) -> bytes:
        out = io.BytesIO()
        with wave.open(out, "wb") as writer:
            writer.setparams((channels, 2, rate, 0, "NONE", ""))
            writer.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
        return out.getvalue()

    return file


@pytest.fixture(scope="session")
def film() -> Callable[..., bytes]:
    """`film(sounds)`: a video with so many sound tracks; the first is speech, the others are silent."""

    def file(sounds: int, speech: np.ndarray) -> bytes:
        out = io.BytesIO()
        with av.open(out, "w", format="matroska") as container:
            video = container.add_stream("mpeg4", rate=10)
            video.width = video.height = 64
            tracks = [container.add_stream("libopus", rate=48000, layout="mono") for _ in range(sounds)]
            for _ in range(20):
                picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                container.mux(video.encode(picture))
            container.mux(video.encode(None))
            for number, track in enumerate(tracks):
                samples = (speech if number == 0 else 0 * speech)[None].astype(np.float32)
                frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
                frame.sample_rate = 48000
                container.mux([*track.encode(frame), *track.encode(None)])
        return out.getvalue()

    return file


@pytest.fixture(scope="session")
def bomb() -> Callable[..., bytes]:
    """`bomb("flac", hours)`: silence, in few bytes."""

    def file(name: str, hours: float) -> bytes:
        form, codec, options = {
            "flac": ("flac", "flac", {}),
            "opus": ("ogg", "libopus", {"b": "6000", "frame_duration": "60", "application": "voip"}),
            "mp3": ("mp3", "libmp3lame", {"b": "8000"}),
        }[name]
        rate = {"flac": 44100, "opus": 48000, "mp3": 8000}[name]
        return encode(form, codec, np.zeros((1, int(rate * 3600 * hours)), np.float32), rate, options)

    return file


@pytest.fixture(scope="session")
def claim() -> Callable[..., bytes]:
    """`claim(wav, size)`: its header promises so many bytes of sound."""

    def file(content: bytes, size: int) -> bytes:
        return content[:40] + struct.pack("<I", size) + content[44:]

    return file
