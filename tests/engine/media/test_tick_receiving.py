"""What the tick takes of what comes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from stage import FAR, NOISE, SILENCE, SLOTS, Stage, coded

from engine.media.rtcp import NTP_EPOCH_S, Block, Report, middle
from engine.media.rtcp import build as build_reports
from engine.media.rtcp import parse as parse_reports
from engine.media.rtp import Packet, build
from engine.media.tick import PACKETS_A_TICK
from engine.media.wire import (
    Close,
    Closed,
    Digit,
    Latched,
    MediaStarted,
    NoMedia,
    Open,
    Play,
    Played,
    Remote,
)


def test_the_first_packet_latches_and_starts_the_media(stage):
    stage.open()
    stage.hear()
    stage.turn()
    assert stage.events == [MediaStarted()]
    assert stage.wire.latched[0]


def test_another_port_of_the_far_end_is_told(stage):
    stage.open()
    for _ in range(3):
        stage.hear(source=(FAR[0], 5000))
    stage.turn(3)
    assert stage.events == [Latched(FAR[0], 5000), MediaStarted()]
    assert stage.wire.targets[0] == (FAR[0], 5000)


def test_strangers_are_not_taken(stage):
    stage.open()
    for _ in range(5):
        stage.hear(source=("198.51.100.1", 4000))
    stage.turn(5)
    stage.do(Close())
    assert stage.events[:-1] == []
    assert stage.counts == (5, 0, 0, 5)
    assert stage.events[-1].strangers == 5


def test_a_new_remote_latches_anew(stage):
    stage.open()
    stage.hear()
    stage.turn()
    stage.do(Remote("192.0.2.9", 4000))
    stage.hear(source=("192.0.2.9", 4000))
    stage.turn()
    assert stage.wire.targets[0] == ("192.0.2.9", 4000)
    assert stage.wire.latched[0]
    assert stage.of(Latched) == []


def test_the_same_remote_again_keeps_the_latch(stage):
    stage.open()
    stage.hear()
    stage.turn()
    stage.do(Remote(*FAR))
    assert stage.wire.latched[0]


def test_counts(stage):
    """Lost, doubled and reordered packets, past the end of the numbers."""
    stage.open()
    sequences = [65533, 65534, 65534, 0, 65535, 1, 5, 4, 4, 6]
    for sequence in sequences:
        stage.hear(sequence=sequence)
        stage.turn()
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted()]
    assert stage.counts == (10, 8, 2, 0)
    assert stage.events[-1].doubled == 2


def test_what_is_invalid_is_counted_and_ignored(stage):
    stage.open()
    stage.hear()
    stage.turn()
    garbage = [b"", b"\x80", bytes(172), b"\x40\x08" + bytes(170), b"\xff" * 500, bytes(1024)]
    stage.wire.waiting[0].extend((FAR, datagram) for datagram in garbage)
    stage.hear(payload_type=96)
    stage.hear(payload_type=18)
    stage.hear(payload=b"")
    stage.hear(payload=b"\x01\x02", payload_type=101)
    stage.turn(20)
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted()]
    assert stage.counts == (21, 1, 0, 10)
    told = stage.events[-1]
    assert (told.strangers, told.garbage, told.wrong_type, told.wrong_size) == (0, 6, 2, 2)


def test_random_packets_change_nothing(stage):
    chance = np.random.default_rng(8)
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),), "any"))
    for _ in range(25):
        for _ in range(100):
            source = (FAR[0], 6000) if chance.random() < 0.9 else ("198.51.100.1", 7)
            stage.wire.waiting[0].append((source, chance.bytes(int(chance.integers(0, 300)))))
        before = stage.wire.reads
        stage.turn()
        assert stage.wire.reads - before <= PACKETS_A_TICK
    assert stage.events == [Played(1, 500, "ended")]
    assert stage.payload() == coded(NOISE)


def test_another_ssrc_goes_on(stage):
    stage.open()
    for _ in range(3):
        stage.hear()
    stage.turn(3)
    stage.ssrc, stage.sequence, stage.timestamp = 5, 100, 0
    for _ in range(3):
        stage.hear()
    stage.turn(3)
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted()]
    assert stage.counts == (6, 6, 0, 0)


def test_a_far_end_with_our_ssrc(stage):
    """We take another; one who goes on to repeat what we send does not make us run."""
    stage.open()
    stage.turn()
    stage.ssrc = stage.packets()[0].ssrc
    stage.hear()
    stage.turn(2)
    stage.ssrc = stage.packets()[-1].ssrc
    stage.hear()
    stage.turn(2)
    stage.do(Close())
    packets = stage.packets()
    assert [packet.ssrc == packets[0].ssrc for packet in packets] == [True] * 2 + [False] * 3
    assert len({packet.ssrc for packet in packets}) == 2
    assert [(b.sequence - a.sequence) % (1 << 16) for a, b in pairwise(packets)] == [1] * 4
    assert stage.events[-1].received == 2


def test_bursts_are_read_out(stage):
    stage.open()
    for _ in range(40):
        stage.hear()
    stage.turn(8)
    assert not stage.wire.waiting[0]
    stage.do(Close())
    assert stage.of(Closed)[0].received == 40


def test_a_far_end_whose_clock_runs_faster_leaves_no_queue(tmp_path):
    """Two packets in a tick now and then, whatever the phase: the second one does not wait for ever."""
    stage = Stage(tmp_path, phase_of_next=sum)
    for row in range(SLOTS):
        stage.do(Open(), Remote(*FAR), row=row)
    for tick in range(500):
        for _ in range(2 if tick % 100 == 50 else 1):
            for row in range(SLOTS):
                packet = Packet(False, 8, stage.sequence & 0xFFFF, stage.timestamp & 0xFFFFFFFF, 7, SILENCE)
                stage.wire.waiting[row].append((FAR, build(packet)))
            stage.sequence, stage.timestamp = stage.sequence + 1, stage.timestamp + 160
        for phase in range(4):
            stage.turn(phase=phase)
    assert [len(waiting) for waiting in stage.wire.waiting] == [0] * SLOTS


def test_what_came_before_the_end_is_counted(stage):
    stage.open()
    stage.hear()
    stage.turn()
    stage.press(1)
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted(), Digit("1")]
    assert stage.counts == (1, 6, 0, 0)


@pytest.mark.parametrize(("spread_ms", "jitter_ms"), [(0, 0), (30, 10)])
def test_jitter_by_the_time_of_arrival(stage, spread_ms, jitter_ms):
    """However late in its tick a packet is read; lost ones change nothing."""
    chance = np.random.default_rng(6)
    stage.open()
    for number in range(3000):
        arrived = 1_800_000_000 + number * 0.02 + chance.uniform(0, spread_ms / 1000)
        stage.hear()
        if number % 7 == 3:
            stage.wire.waiting[0].pop()
        else:
            stage.wire.waiting[0][-1] += (arrived,)
        stage.turn()
    stage.do(Close())
    assert stage.events[-1].jitter_ms == pytest.approx(jitter_ms, abs=3 if spread_ms else 0.01)
    assert stage.events[-1].lost == 3000 // 7


def test_reports_come_and_go_with_the_ticks(stage):
    """A far end that reports: its round trip, loss and jitter are in the last word, with MOS by the worse way."""
    stage.open()
    for number in range(400):
        stage.tick.turn(number / 50)
        stage.wire.time = number / 50
        stage.hear()
    told = parse_reports(stage.wire.reports[0][0]).reports[0]
    block = Block(told.ssrc, 26, 40, 65536, 80, middle(told.sender.ntp), 0)
    answer = build_reports(Report(99, None, (block,)), "far")
    stage.wire.reports_waiting[0].append((answer, (FAR[0], 4001), told.sender.ntp / (1 << 32) - NTP_EPOCH_S + 0.2))
    stage.do(Close())
    closed = stage.events[-1]
    assert closed.round_trip_ms == pytest.approx(200, abs=0.1)
    assert (closed.remote_lost, closed.remote_jitter_ms) == (40, 10)
    assert 2.5 < closed.mos < 3.5
    assert parse_reports(stage.wire.reports[0][-1]).byes == (told.ssrc,)


@pytest.mark.parametrize(("turns", "one_way"), [(149, False), (150, True)])
def test_one_way_audio(stage, turns, one_way):
    """Three seconds after the last word of where the far end is: early media before it does not count."""
    stage.open()
    stage.hear()
    stage.turn(200)
    stage.do(Remote(*FAR))
    stage.turn(turns)
    stage.do(Close())
    assert stage.events[-1].one_way_audio is one_way


@pytest.mark.parametrize("remote", [{"receive": False}, {"send": False}])
def test_a_hold_is_no_one_way_audio(stage, remote):
    stage.open(**remote)
    stage.turn(300)
    stage.do(Close())
    assert not stage.events[-1].one_way_audio


def test_no_media(stage):
    stage.open()
    stage.turn(149)
    assert stage.events == []
    stage.turn(300)
    assert stage.events == [NoMedia()]
    stage.hear()
    stage.turn()
    assert stage.events == [NoMedia(), MediaStarted()]
    stage.turn(149)
    assert len(stage.events) == 2
    stage.turn(2)
    assert stage.events[2:] == [NoMedia()]
    stage.hear()
    stage.turn()
    assert stage.events[3:] == [MediaStarted()]


def test_no_media_is_not_expected_on_hold(stage):
    stage.open(receive=False)
    stage.turn(400)
    assert stage.events == []
    stage.do(Remote(*FAR))
    stage.turn(150)
    assert stage.events == [NoMedia()]


def test_comfort_noise_is_a_sign_of_life(stage):
    stage.open()
    stage.hear()
    stage.hear(b"\x40", 13)
    stage.turn(600)
    assert stage.events == [MediaStarted()]
    stage.turn(1000)
    assert stage.events == [MediaStarted(), NoMedia()]
