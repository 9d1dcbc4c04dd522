"""Reports as bytes: what is built is read again, and nothing that comes makes the reader raise."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.rtcp import LOST_MAX, LOST_MIN, Block, Compound, Report, Sender, build, middle, ntp, parse

word = st.integers(0, (1 << 32) - 1)
blocks = st.builds(Block, word, st.integers(0, 255), st.integers(LOST_MIN, LOST_MAX), word, word, word, word)
senders = st.builds(Sender, st.integers(0, (1 << 64) - 1), word, word, word)
reports = st.builds(Report, word, st.none() | senders, st.lists(blocks, max_size=31).map(tuple))


@given(reports, st.text(max_size=300), st.booleans())
def test_a_report_survives(report, cname, bye):
    datagram = build(report, cname, bye=bye)
    assert len(datagram) % 4 == 0
    assert parse(datagram) == Compound((report,), (report.ssrc,) if bye else ())


def test_a_report_as_the_rfc_draws_it():
    """Section 6.4.1, field by field; -2 lost (two doubles came) is fffffe."""
    block = Block(0x11223344, 64, -2, 0x00010203, 7, 0x55667788, 65536)
    datagram = build(Report(0xAABBCCDD, Sender(1 << 63, 160, 3, 480), (block,)), "a@b")
    assert datagram[:52].hex() == (
        "81c8000c" "aabbccdd" "8000000000000000" "000000a0" "00000003" "000001e0"
        "11223344" "40fffffe" "00010203" "00000007" "55667788" "00010000"
    )  # fmt: skip
    assert datagram[52:].hex() == "81ca0003aabbccdd0103614062000000"


@pytest.mark.parametrize(("lost", "told"), [(1 << 30, LOST_MAX), (-(1 << 30), LOST_MIN)])
def test_lost_is_cut_to_24_bits(lost, told):
    read = parse(build(Report(1, None, (Block(2, 0, lost, 0, 0, 0, 0),)), "x"))
    assert read.reports[0].blocks[0].lost == told


@given(st.binary(max_size=200))
def test_garbage_is_none_or_a_compound(datagram):
    assert parse(datagram) is None or isinstance(parse(datagram), Compound)


@given(reports, st.data())
def test_a_report_with_any_byte_changed_or_cut_off(report, data):
    datagram = bytearray(build(report, "zvonar", bye=True))
    datagram[data.draw(st.integers(0, len(datagram) - 1))] = data.draw(st.integers(0, 255))
    read = parse(bytes(datagram[: data.draw(st.integers(0, len(datagram)))]))
    assert read is None or all(-(1 << 23) <= block.lost < 1 << 23 for each in read.reports for block in each.blocks)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x80",
        bytes.fromhex("80ca0001000000010000"),  # begins with SDES
        bytes.fromhex("a0c9000100000001"),  # padding in the first packet
        bytes.fromhex("81c9000100000001"),  # a block that is not there
        bytes.fromhex("80c9000200000001"),  # longer than the datagram
        bytes.fromhex("80c900010000000180"),  # a byte behind
        bytes.fromhex("80c900010000000140c90001"),  # another version behind
        bytes.fromhex("80c9000100000001") * 300,
    ],
)
def test_no_rtcp(datagram):
    assert parse(datagram) is None


def test_other_packets_are_passed_over():
    feedback = bytes.fromhex("81cd0003000000010000000200010000")
    extended = bytes.fromhex("80cf000100000001")
    assert parse(build(Report(5), "x") + feedback + extended) == Compound((Report(5),))


def test_bye_of_several_and_of_fewer_than_it_says():
    two = bytes.fromhex("82cb00020000000700000008")
    short = bytes.fromhex("9fcb000100000009")
    assert parse(build(Report(5), "x") + two + short) == Compound((Report(5),), (7, 8, 9))


def test_ntp():
    assert ntp(0.5) == 2_208_988_800 << 32 | 1 << 31
    assert middle(ntp(0.5)) == (2_208_988_800 & 0xFFFF) << 16 | 1 << 15
    assert struct.pack("!Q", ntp(4_000_000_000.0))  # after 2036
