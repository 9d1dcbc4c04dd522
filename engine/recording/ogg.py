"""An Ogg file of Opus that grows (RFC 7845): 8 kHz, two channels. It can be played up to its last second at any time.

At 48 kbit/s in libopus's mode for music no channel is heard in the other; below, it joins them (measured: at 32 kbit/s
one side's speech stands in the other's pauses, louder than itself).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av

from engine.media.rtp import CLOCK_HZ
from engine.recording.channels import CHANNELS, Linear
from engine.recording.wav import RawFile

BITS_A_S: Final = 48_000
OPTIONS: Final = {"application": "audio", "compression_level": "0"}  # 23 us for 20 ms; the best would be 90
BUFFER_BYTES: Final = 4096  # of libav: what a kill loses, beside the page of a second
OPUS_HZ: Final = 48_000  # granule positions count these
LAST_PAGE_BYTES: Final = 1 << 16
_MAGIC: Final = b"OggS"


class OggFile:
    """Writes one. OSError where it cannot; what was written before stays."""

    def __init__(self, file: RawFile) -> None:
        self._file = _Guarded(file)
        self._container = av.open(self._file, "w", format="ogg", buffer_size=BUFFER_BYTES)
        self._stream = self._container.add_stream("libopus", rate=CLOCK_HZ, options=OPTIONS)
        self._stream.layout = "stereo"
        self._stream.bit_rate = BITS_A_S
        self._samples = 0

    def write(self, samples: Linear) -> None:
        """Append samples (n, 2)."""
        if samples.size == 0:
            return
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = CLOCK_HZ, self._samples
        self._samples += len(samples)
        self._container.mux(self._stream.encode(frame))
        self._file.check()

    def close(self) -> None:
        """Nothing follows."""
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._file.check()
        finally:
            self._file.close()


class _Guarded:
    """libav tells that a write failed, not why, so it is not told at all."""

    def __init__(self, file: RawFile) -> None:
        self._file = file
        self._error: OSError | None = None

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        while left and self._error is None:
            try:
                left = left[self._file.write(bytes(left)) or 0 :]
            except OSError as error:
                self._error = error
        return len(data)

    def check(self) -> None:
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._file.close()


def samples_of(path: Path) -> int:
    """How many samples (at 8 kHz) a file has that may have been left while it grew. OSError."""
    with path.open("rb") as file:
        head = file.read(64)
        size = file.seek(0, 2)
        file.seek(max(0, size - LAST_PAGE_BYTES))
        rest = file.read()
    skip = int.from_bytes(head[38:40], "little") if head[28:36] == b"OpusHead" else 0  # RFC 7845, section 5.1
    last = rest.rfind(_MAGIC)
    while last >= 0 and not _is_whole(rest[last:]):
        last = rest.rfind(_MAGIC, 0, last)
    granule = int.from_bytes(rest[last + 6 : last + 14], "little", signed=True) if last >= 0 else 0
    return max(0, granule - skip) * CLOCK_HZ // OPUS_HZ


def pieces(path: Path) -> Iterator[Linear]:
    """What `OggFile` wrote: samples (n, 2) at 8 kHz. What libav raises is raised."""
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=CLOCK_HZ)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                yield part.to_ndarray().reshape(-1, CHANNELS)
        for part in resampler.resample(None):
            yield part.to_ndarray().reshape(-1, CHANNELS)


def _is_whole(page: bytes) -> bool:
    """RFC 3533, section 6: 27 bytes, so many lengths as the last of them says, and what these add up to."""
    segments = page[26] if len(page) > 26 else 0
    return len(page) >= 27 + segments + sum(page[27 : 27 + segments]) > 27
