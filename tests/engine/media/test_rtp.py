"""The RTP header."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from engine.media.rtp import MAX_BYTES, Packet, build, parse

PACKET = Packet(True, 8, 65535, 0xFFFFFFFF, 0x12345678, b"payload")


def test_survives():
    assert build(PACKET)[:12].hex() == "8088ffffffffffff12345678"
    assert parse(build(PACKET)) == PACKET


def test_sources_extension_and_padding_are_taken_off():
    header = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 8, 1, 2, 3)
    datagram = header + b"s" * 8 + struct.pack("!HH", 0xBEDE, 1) + b"exte" + b"voice" + b"\0\0\x03"
    read = parse(datagram)
    assert read is not None
    assert read.payload == b"voice"


def test_what_is_no_packet():
    whole = build(PACKET)
    assert parse(b"") is None
    assert parse(whole[:11]) is None
    assert parse(b"\x40" + whole[1:]) is None  # version 1
    assert parse(b"\x8f" + whole[1:]) is None  # fifteen sources and no room
    assert parse(b"\x90" + whole[1:12]) is None  # an extension and no room
    assert parse(b"\xa0" + whole[1:12] + b"\xff") is None  # more padding than packet
    assert parse(b"\xa0" + whole[1:12] + b"\x00") is None  # a padding of nothing
    assert parse(whole + bytes(MAX_BYTES)) is None


@given(st.binary(max_size=1500))
def test_nothing_breaks_it(datagram):
    packet = parse(datagram)
    assert packet is None or len(packet.payload) <= len(datagram) - 12


@given(st.binary(min_size=12, max_size=300))
def test_garbage_of_version_2(datagram):
    parse(bytes([0x80 | datagram[0] & 0x3F]) + datagram[1:])
