"""RTP (RFC 3550): the header's layout, for columns of packets and for a single odd one."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np

FRAME_MS: Final = 20
FRAME_SAMPLES: Final = 160
CLOCK_HZ: Final = 8000
HEADER_BYTES: Final = 12
PACKET_BYTES: Final = HEADER_BYTES + FRAME_SAMPLES
MAX_BYTES: Final = 1024  # nothing that we speak is longer: 120 ms of G.711

VERSION_2: Final = 0x80
MARKER: Final = 0x80
COMFORT_NOISE: Final = 13  # RFC 3389

HEADER: Final = np.dtype(
    [("first", "u1"), ("second", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")]
)
_HEADER = struct.Struct("!BBHII")


class Packet(NamedTuple):
    """One packet, read."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(datagram: bytes) -> Packet | None:
    """The packet in a datagram, free of its CSRC list, extension and padding; None if it is no RTP."""
    if len(datagram) < HEADER_BYTES or len(datagram) >= MAX_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first & 0xC0 != VERSION_2:
        return None
    start, end = HEADER_BYTES + 4 * (first & 15), len(datagram)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    if first & 0x20:
        end -= datagram[-1] or end  # a padding of nothing is none
    if end < start:
        return None
    return Packet(second >= MARKER, second & 0x7F, sequence, timestamp, ssrc, datagram[start:end])


def build(packet: Packet) -> bytes:
    """The datagram of a packet."""
    second = packet.payload_type | (MARKER if packet.marker else 0)
    header = _HEADER.pack(VERSION_2, second, packet.sequence, packet.timestamp, packet.ssrc)
    return header + packet.payload
