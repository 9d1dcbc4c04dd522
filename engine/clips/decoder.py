"""Decodes what strangers send: `python -m engine.clips.decoder CONTAINER MAX_S`, started by `engine.clips.decode`.

Standard input is the file, standard output a line of JSON, then samples: 8 kHz, one channel, float32. libav runs here
and nowhere else. It is given the bytes and the container's name, so it guesses nothing; once loaded, the process can
open no file or socket (RLIMIT_NOFILE is 0), and its memory and time are bounded. Sound is decoded, mixed and resampled
piece by piece, and no further than MAX_S: hours of silence in a few kilobytes cost what MAX_S costs.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

import av
import av.audio.stream
import av.subtitles.stream  # what av loads when it first meets a stream is loaded before no file can be opened
import av.video.stream
import numpy as np
import soxr
from numpy.typing import NDArray

from engine.clips.clipping import ClippingMeter
from engine.clips.container import Container, is_cut
from engine.clips.refusal import ClipRefused, Reason
from engine.clips.wav import Samples
from engine.media.rtp import CLOCK_HZ

MEMORY_BYTES: Final = 1 << 30  # of address space; loaded it takes a third of that
CPU_S: Final = 20  # and a twentieth of what may be long: five minutes of anything take one second
RATES_HZ: Final = (4000, 384_000)
DAMAGED_SHARE: Final = 0.05  # packets that may be bad: an MP3 begins and ends with rubbish now and then
DAMAGED_PACKETS: Final = 100  # of nothing but bad ones are enough to know

DECODERS: Final = (
    "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le",
    "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt",
    "gsm_ms", "mp2float", "mp2", "mp3float", "mp3", "vorbis", "libvorbis", "opus", "libopus", "speex", "libspeex",
    "flac", "aac", "alac", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb",
)  # fmt: skip
_OPTIONS: Final = {"codec_whitelist": ",".join(DECODERS), "protocol_whitelist": "none"}

_SCALES: Final = {"u1": 1 << 7, "i2": 1 << 15, "i4": 1 << 31, "i8": 1 << 63, "f4": 1, "f8": 1}
Block = NDArray[np.float32]  # (2, n): the mix of all channels, and the largest magnitude among them


def decode(file: bytes, container: Container, max_s: int) -> tuple[Samples, float]:
    """The sound of a file at 8 kHz, and the share of it that is clipped. ClipRefused."""
    if is_cut(file, container):
        raise ClipRefused(Reason.CUT_OFF)
    meter = ClippingMeter()
    samples = np.concatenate([np.zeros(0, np.float32), *_resampled(_blocks(file, container), meter, max_s)])
    if samples.size == 0:
        raise ClipRefused(Reason.NOT_AUDIO)
    return samples, meter.clipped


def _resampled(blocks: Iterable[tuple[int, Block]], meter: ClippingMeter, max_s: int) -> Iterator[Samples]:
    left = max_s * CLOCK_HZ
    rate_hz = 0
    stream: Any = None
    for rate, block in blocks:
        if rate != rate_hz:  # a chain of recordings, each at a rate of its own
            if stream is not None:
                yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
            rate_hz = rate
            stream = None if rate == CLOCK_HZ else soxr.ResampleStream(rate, CLOCK_HZ, 1, "float32", "HQ")
        mixed, magnitudes = block
        meter.feed(magnitudes)
        piece = mixed if stream is None else stream.resample_chunk(mixed)
        left -= piece.size
        if left < 0:
            raise ClipRefused(Reason.TOO_LONG, max_s=max_s)
        yield piece
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _blocks(file: bytes, container: Container) -> Iterator[tuple[int, Block]]:
    """About a second each, with its rate: frames can be a few samples long, and each costs the same to handle."""
    rate_hz, waiting, size = 0, list[Block](), 0
    for rate, piece in _pieces(file, container):
        if waiting and (rate != rate_hz or size >= rate_hz):
            yield rate_hz, np.concatenate(waiting, axis=1)
            waiting, size = [], 0
        rate_hz = rate
        waiting.append(piece)
        size += piece.shape[1]
    if waiting:
        yield rate_hz, np.concatenate(waiting, axis=1)


def _pieces(file: bytes, container: Container) -> Iterator[tuple[int, Block]]:
    try:
        opened = av.open(
            io.BytesIO(file), format=container.value, options=_OPTIONS, metadata_errors="ignore", io_open=_open_nothing
        )
    except (av.FFmpegError, ValueError) as error:
        raise ClipRefused(Reason.NOT_AUDIO) from error
    with opened:
        stream = next(iter(opened.streams.audio), None)
        if stream is None:
            raise ClipRefused(Reason.NO_SOUND if opened.streams else Reason.NOT_AUDIO)
        if stream.codec_context is None:  # coded in a way that is none of ours
            raise ClipRefused(Reason.NOT_AUDIO)
        stream.codec_context.thread_count = 1
        promised = stream.duration * stream.time_base if container is Container.FLAC and stream.duration else 0
        packets = bad = 0
        heard = 0.0
        last_is_bad = False
        mp3 = _Mp3Frames()
        for packet, frames in _decoded(opened, stream):
            packets += 1
            last_is_bad = frames is None
            bad += last_is_bad
            if bad > DAMAGED_PACKETS and bad > packets / 2:
                break
            if container is Container.MP3 and packet is not None:
                mp3.see(packet)
            for frame in frames or ():
                rate_hz = frame.sample_rate
                if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
                    raise ClipRefused(Reason.NOT_AUDIO)
                heard += frame.samples / rate_hz
                yield rate_hz, _piece(frame)
        if heard == 0 or bad > packets / 2:
            raise ClipRefused(Reason.NOT_AUDIO)
        # An MP3 may end with tags, which are no sound.
        ends_badly = mp3.last_is_short if container is Container.MP3 else last_is_bad
        if ends_badly or bad > packets * DAMAGED_SHARE or heard < promised - 0.1:
            raise ClipRefused(Reason.CUT_OFF)


def _decoded(opened: Any, stream: Any) -> Iterator[tuple[Any, list[Any] | None]]:
    """Each packet with its frames; None for what cannot be read or decoded."""
    try:
        for packet in opened.demux(stream):
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                frames = None
            if packet.size or frames != []:  # the last packet is empty: it asks for what the decoder still holds
                yield packet, frames
    except (av.FFmpegError, ValueError):
        yield None, None


class _Mp3Frames:
    """Tells that the last frame is cut: it is shorter than any before it that begins with the same header."""

    def __init__(self) -> None:
        self._smallest: dict[bytes, int] = {}
        self.last_is_short = False

    def see(self, packet: Any) -> None:
        head = bytes(packet)[:3]
        if len(head) < 3 or head[0] != 0xFF:
            return  # a tag, or the empty packet
        header = head[:2] + bytes([head[2] & 0xFD])  # all but the bit that says whether the frame has a byte more
        smallest = self._smallest.setdefault(header, packet.size)
        self.last_is_short = packet.size < smallest
        self._smallest[header] = min(smallest, packet.size)


def _piece(frame: Any) -> Block:
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    scale = _SCALES[values.dtype.str[1:]]
    channels = values.astype(np.float32) / np.float32(scale)
    if values.dtype == np.uint8:
        channels -= 1
    if values.dtype.kind == "f":
        channels = np.nan_to_num(channels, posinf=1, neginf=-1)
    return np.stack([channels.mean(axis=0), np.abs(channels).max(axis=0)])


def _open_nothing(*_: object) -> object:
    raise PermissionError("a clip refers to no other file")


def main(arguments: list[str]) -> int:
    """Decode standard input. The status is 0, also if it was refused (the line says so); an errno if writing failed."""
    container, max_s = Container(arguments[0]), int(arguments[1])
    _confine(max_s)
    try:
        samples, clipped = decode(sys.stdin.buffer.read(), container, max_s)
        answer: dict[str, Any] = {"clipped": clipped}
    except ClipRefused as refused:
        samples = np.zeros(0, np.float32)
        answer = {"refused": refused.code, "params": refused.params}
    except Exception as error:  # the sender learns that it cannot be decoded, our log why
        samples = np.zeros(0, np.float32)
        answer = {"failed": f"{type(error).__name__}: {error}"[:500]}
    try:
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + samples.astype("<f4").tobytes())
        sys.stdout.buffer.flush()
    except OSError as error:
        os._exit(error.errno or errno.EIO)  # at a usual exit Python would try to write the rest again
    return 0


def _confine(max_s: int) -> None:
    output_bytes = 4 * max_s * CLOCK_HZ
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES + 4 * output_bytes),
        (resource.RLIMIT_CPU, CPU_S + max_s // 20),
        (resource.RLIMIT_FSIZE, output_bytes + (1 << 16)),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),  # those that are open stay so
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of address space
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
