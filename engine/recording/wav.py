"""A WAV file that grows: 16-bit PCM, 8 kHz, two channels. After each `write` its header is true, whatever follows."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final, Protocol

from engine.media.rtp import CLOCK_HZ
from engine.recording.channels import CHANNELS, Linear

PCM: Final = 1  # format tag, RFC 2361
SAMPLE_BYTES: Final = 2 * CHANNELS
HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
SIZE_MAX: Final = (1 << 32) - 1 - HEADER.size


class RawFile(Protocol):
    """What is needed of a file without a buffer; a full disk may take a part of what is written."""

    def write(self, data: bytes, /) -> int | None: ...
    def seek(self, offset: int, /) -> int: ...
    def truncate(self, size: int, /) -> int: ...
    def close(self) -> None: ...


class WavFile:
    """Writes one. OSError where it cannot; what was written before stays whole."""

    def __init__(self, file: RawFile) -> None:
        self._file = file
        self._data_bytes = 0
        _write(file, header(0))

    def write(self, samples: Linear) -> None:
        """Append samples (n, 2)."""
        data = samples.astype("<i2").tobytes()
        try:
            _write(self._file, data)
        except OSError:
            self._file.truncate(HEADER.size + self._data_bytes)
            raise
        self._data_bytes += len(data)
        self._file.seek(0)
        _write(self._file, header(self._data_bytes))
        self._file.seek(HEADER.size + self._data_bytes)

    def close(self) -> None:
        """Nothing follows."""
        self._file.close()


def header(data_bytes: int) -> bytes:
    """The first 44 bytes of a file with so much sound."""
    size = min(data_bytes, SIZE_MAX)
    return HEADER.pack(
        b"RIFF", HEADER.size - 8 + size, b"WAVE", b"fmt ", 16, PCM, CHANNELS, CLOCK_HZ, CLOCK_HZ * SAMPLE_BYTES,
        SAMPLE_BYTES, 16, b"data", size,
    )  # fmt: skip


def mend(path: Path) -> int:
    """Make the header of a file that was left while it grew tell its size; how many samples it has. OSError."""
    with path.open("r+b", buffering=0) as file:
        whole = max(0, os.fstat(file.fileno()).st_size - HEADER.size) // SAMPLE_BYTES
        _write(file, header(whole * SAMPLE_BYTES))
        file.truncate(HEADER.size + whole * SAMPLE_BYTES)
    return whole


def _write(file: RawFile, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(bytes(left)) or 0 :]
