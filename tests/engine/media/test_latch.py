"""Whose RTP is taken."""

from __future__ import annotations

import random

import pytest

from engine.media.latch import SHUNNED_PACKETS, Latch
from engine.media.rtp import Packet, parse


def packet(sequence: int = 1, ssrc: int = 1) -> Packet:
    return Packet(False, 8, sequence, 0, ssrc, b"v" * 160)


def test_the_address_of_the_sdp_at_once():
    assert Latch("192.0.2.1", 4000, ()).admits(("192.0.2.1", 4000), packet())


def test_another_port_of_that_host_after_two_in_sequence():
    latch = Latch("192.0.2.1", 4000, ())
    assert not latch.admits(("192.0.2.1", 4002), packet(65535))
    assert latch.admits(("192.0.2.1", 4002), packet(0))


def test_two_sources_do_not_prove_each_other():
    latch = Latch("192.0.2.1", 4000, ())
    assert not latch.admits(("192.0.2.1", 4002), packet(1))
    assert not latch.admits(("192.0.2.1", 4004), packet(2))
    assert not latch.admits(("192.0.2.1", 4002), packet(3))


def test_another_host_only_within_the_networks():
    stranger = ("198.51.100.7", 4000)
    closed, opened = Latch("10.0.0.1", 4000, ()), Latch("10.0.0.1", 4000, ["198.51.100.0/24"])
    assert [closed.admits(stranger, packet(n)) for n in range(3)] == [False] * 3
    assert [opened.admits(stranger, packet(n)) for n in range(2)] == [False, True]


def test_the_far_end_before_is_shunned_for_a_second():
    latch = Latch("192.0.2.1", 4000, (), shunned=("192.0.2.1", 5000))
    late = [latch.admits(("192.0.2.1", 5000), packet(n)) for n in range(SHUNNED_PACKETS + 2)]
    assert late == [False] * (SHUNNED_PACKETS + 1) + [True]


def test_the_far_end_before_is_taken_where_the_sdp_names_it():
    assert Latch("192.0.2.1", 5000, (), shunned=("192.0.2.1", 5000)).admits(("192.0.2.1", 5000), packet())


def test_random_packets_prove_nothing():
    latch, chance = Latch("192.0.2.1", 4000, ()), random.Random(7)
    for _ in range(20_000):
        read = parse(b"\x80\x08" + chance.randbytes(170))
        assert read is not None
        assert not latch.admits(("192.0.2.1", chance.choice([5000, 5002])), read)


def test_a_name_is_no_address():
    with pytest.raises(ValueError, match="example"):
        Latch("media.example.org", 4000, ())
