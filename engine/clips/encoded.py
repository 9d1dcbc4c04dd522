"""An encoded clip on disk: a header, its samples in A-law, the same in mu-law. Written once, then mapped.

magic "ZVONCLIP" | version, u32 | CRC-32 of the codes, u32 | samples, u64 | reserved to 32 bytes | A-law | mu-law
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final, Protocol

MAGIC: Final = b"ZVONCLIP"
VERSION: Final = 1
HEADER_BYTES: Final = 32
_HEADER = struct.Struct("<8sIIQ8x")


class _Buffer(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, index: slice, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself."""

    samples: int
    crc: int

    def offset(self, law: int) -> int:
        """Where the codes of a law begin: 0 is A-law, 1 mu-law."""
        return HEADER_BYTES + law * self.samples


def read_header(file: _Buffer) -> Header:
    """The header of a whole file; ValueError if it is no encoded clip or was cut."""
    if len(file) < HEADER_BYTES:
        raise ValueError("no encoded clip: too short")
    magic, version, crc, samples = _HEADER.unpack(file[:HEADER_BYTES])
    if magic != MAGIC or version != VERSION:
        raise ValueError("no encoded clip of this version")
    if samples == 0 or len(file) != HEADER_BYTES + 2 * samples:
        raise ValueError("an encoded clip that was cut")
    return Header(samples, crc)


def check(file: bytes) -> Header:
    """As `read_header`, and the codes are what was written."""
    header = read_header(file)
    if zlib.crc32(memoryview(file)[HEADER_BYTES:]) != header.crc:
        raise ValueError("an encoded clip that was changed")
    return header


def build(a_law: bytes, mu_law: bytes) -> bytes:
    """The file of a clip; both laws have the same number of samples."""
    codes = a_law + mu_law
    return _HEADER.pack(MAGIC, VERSION, zlib.crc32(codes), len(a_law)) + codes
