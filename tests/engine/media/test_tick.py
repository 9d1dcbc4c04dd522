"""The tick, one turn at a time: what it sends, and whose fault is whose."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from stage import FAR, NOISE, SILENCE, SLOTS, Stage, coded

from engine.media.control import Gone
from engine.media.g711 import Law, decode
from engine.media.overload import REFUSE_LOAD
from engine.media.wire import (
    Close,
    Closed,
    Faulted,
    Listen,
    Load,
    Open,
    Play,
    Played,
    Remote,
    SendDigits,
    Stop,
)


def test_silence_from_the_first_tick(stage):
    stage.open()
    stage.turn(5)
    packets = stage.packets()
    assert stage.payload() == SILENCE * 5
    assert [packet.marker for packet in packets] == [True] + [False] * 4
    for number, packet in enumerate(packets):
        assert packet.sequence == (packets[0].sequence + number) % (1 << 16)
        assert packet.timestamp == (packets[0].timestamp + 160 * number) % (1 << 32)
        assert packet.ssrc == packets[0].ssrc


def test_nothing_before_the_remote_is_known(stage):
    stage.do(Open(), Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    assert stage.packets() == []
    stage.do(Remote(*FAR))
    stage.turn(25)
    assert stage.payload() == coded(NOISE)
    assert stage.events == [Played(1, 500, "ended")]


@pytest.mark.parametrize(("payload_type", "law"), [(8, Law.A), (0, Law.MU)])
def test_a_clip_bit_for_bit(stage, payload_type, law):
    stage.open(payload_type=payload_type)
    stage.do(Play(3, (stage.clip(NOISE),)))
    stage.turn(24)
    assert stage.events == []
    stage.turn()
    assert stage.events == [Played(3, 500, "ended")]
    assert stage.payload(payload_type=payload_type) == coded(NOISE, law)


def test_prompts_follow_without_a_gap(stage):
    stage.open()
    first, second = stage.clip(NOISE[:320]), stage.clip(NOISE[320:1000])
    stage.do(Play(1, (first, -40, second)), Play(2, (first,)))
    stage.turn(12)
    padding = b"\xd5" * 120
    assert stage.payload() == b"".join(
        [coded(NOISE[:320]), SILENCE * 2, coded(NOISE[320:1000]), padding, coded(NOISE[:320]), SILENCE]
    )
    assert stage.events == [Played(1, 40 + 40 + 85, "ended"), Played(2, 40, "ended")]


def test_what_is_repeated_goes_on_until_it_is_stopped(stage):
    stage.open()
    clip = stage.clip(NOISE[:320])
    stage.do(Play(0, (clip, -40), repeat=True), Play(1, (clip,)))
    stage.turn(10)
    assert stage.payload() == ((coded(NOISE[:320]) + SILENCE * 2) * 3)[: 10 * 160]
    assert stage.events == []
    stage.do(Stop(), Play(2, (clip,)))
    stage.turn(2)
    assert stage.payload()[1600:] == coded(NOISE[:320])
    assert stage.events == [Played(0, 200, "stopped"), Played(1, 0, "stopped"), Played(2, 40, "ended")]


def test_pauses_that_are_no_frames(stage):
    stage.open()
    stage.do(Play(1, (-50,)), Play(2, ()), Play(3, (0,)))
    stage.turn(3)
    assert stage.events == [Played(1, 50, "ended"), Played(2, 0, "ended"), Played(3, 0, "ended")]


def test_stop_is_at_once_and_for_all(stage):
    stage.open()
    clip = stage.clip(NOISE)
    stage.do(Play(1, (clip,)), Play(2, (clip,)), Play(3, (clip,)))
    stage.turn(7)
    stage.do(Stop())
    assert stage.events == [Played(1, 140, "stopped"), Played(2, 0, "stopped"), Played(3, 0, "stopped")]
    stage.turn(2)
    assert stage.payload() == coded(NOISE[: 7 * 160]) + SILENCE * 2
    stage.do(Stop())
    stage.do(Play(4, (clip,)))
    stage.turn(25)
    assert stage.payload().endswith(coded(NOISE))
    assert stage.events[3:] == [Played(4, 500, "ended")]


def test_close_tells_the_prompts_first(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Play(2, ()))
    stage.turn(2)
    stage.do(Close())
    assert stage.events[:-1] == [Played(1, 40, "closed"), Played(2, 0, "closed")]
    assert stage.counts == (2, 0, 0, 0)
    stage.do(Play(3, ()), Close())
    stage.turn(3)
    assert len(stage.events) == 3
    assert len(stage.packets()) == 2
    assert stage.tick.slots == 0


def test_what_was_meant_for_an_earlier_generation_is_dropped(stage):
    stage.open()
    stage.do(Close())
    stage.do(Open(), Remote(*FAR), generation=2)
    stage.do(Play(1, (-100,)), Close())
    stage.turn()
    assert stage.tick.slots == 1
    assert [envelope.generation for envelope in stage.envelopes] == [1]


def test_a_hold_stops_the_clip_and_goes_on_where_it_was(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.do(Remote(*FAR, send=False))
    stage.turn(10)
    stage.do(Remote(*FAR))
    stage.turn(20)
    packets = stage.packets()
    assert stage.payload() == coded(NOISE)
    assert stage.events == [Played(1, 500, "ended")]
    assert (packets[5].sequence - packets[4].sequence) % (1 << 16) == 1
    assert (packets[5].timestamp - packets[4].timestamp) % (1 << 32) == 11 * 160
    assert packets[5].marker


def test_early_media_and_the_answer_are_one_stream(stage):
    stage.open(payload_type=8)
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.do(Remote(FAR[0], 4444, payload_type=0))
    stage.turn(20)
    packets = stage.packets()
    assert stage.payload(payload_type=8) == coded(NOISE[:800])
    assert stage.payload(payload_type=0) == coded(NOISE[800:], Law.MU)
    assert len({packet.ssrc for packet in packets}) == 1
    assert [(b.sequence - a.sequence) % (1 << 16) for a, b in pairwise(packets)] == [1] * 24
    assert [(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(packets)] == [160] * 24


def test_a_stall_moves_the_timestamp_and_not_the_clip(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.tick.slip(50)
    stage.turn(20)
    packets = stage.packets()
    assert stage.payload() == coded(NOISE)
    assert (packets[5].timestamp - packets[4].timestamp) % (1 << 32) == 51 * 160
    assert (packets[5].sequence - packets[4].sequence) % (1 << 16) == 1


def test_what_did_not_leave_was_not_heard(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.wire.broken.add(0)
    stage.turn(5)
    stage.wire.broken.clear()
    stage.turn(15)
    assert stage.events == [Played(1, 400, "ended")]
    stage.do(Close())
    assert stage.of(Closed)[0].sent == 20


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 50, 60])
def test_packet_times(stage, ptime_ms):
    stage.open(ptime_ms=ptime_ms)
    stage.do(Play(1, (stage.clip(NOISE[:3840]),)))
    stage.turn(30)
    packets = stage.packets()
    size = ptime_ms * 8
    assert len(packets) == 600 // ptime_ms
    assert {len(packet.payload) for packet in packets} == {size}
    assert stage.payload().startswith(coded(NOISE[:3840]))
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    for number, packet in enumerate(packets):
        assert packet.sequence == (packets[0].sequence + number) % (1 << 16)
        assert packet.timestamp == (packets[0].timestamp + size * number) % (1 << 32)
    assert stage.events == [Played(1, 480, "ended")]


def test_gain(stage):
    stage.open()
    stage.columns.gain[0] = 0.5
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(25)
    heard = decode(np.frombuffer(stage.payload(), np.uint8), Law.A).astype(float)
    assert np.abs(heard - NOISE / 2).max() < 1600


def test_rows_do_not_mix(stage):
    noise = NOISE.reshape(4, -1)[:, :960]
    for row in range(SLOTS):
        stage.open(row, payload_type=8 if row % 2 else 0)
        stage.do(Play(row, (stage.clip(noise[row]),)), row=row)
    stage.turn(6)
    for row in range(SLOTS):
        law = Law.A if row % 2 else Law.MU
        assert stage.payload(row, 8 if row % 2 else 0) == coded(noise[row], law)
    assert len({stage.packets(row)[0].ssrc for row in range(SLOTS)}) == SLOTS


def test_phases_serve_each_row_once(tmp_path):
    stage = Stage(tmp_path, phase_of_next=lambda calls: sum(calls) % 2)
    for row in range(3):
        stage.open(row)
    stage.turn(phase=0)
    assert [len(stage.packets(row)) for row in range(3)] == [1, 0, 1]
    stage.turn(phase=1)
    assert [len(stage.packets(row)) for row in range(3)] == [1, 1, 1]
    assert stage.tick.calls == [2, 1, 0, 0]
    stage.do(Close(), row=0)
    assert stage.tick.calls == [1, 1, 0, 0]


def test_an_overloaded_process_opens_no_slot_and_gives_up_the_newest(stage):
    for row in range(3):
        stage.open(row)
    stage.tick.shed(0)
    assert stage.of(Faulted) == []
    stage.tick.shed(1)
    assert [envelope.slot for envelope in stage.envelopes if isinstance(envelope.body, Faulted)] == [2]
    stage.overload.load = REFUSE_LOAD
    stage.open(3)
    assert [envelope.slot for envelope in stage.envelopes if isinstance(envelope.body, Faulted)] == [2, 3]
    stage.turn()
    assert [len(stage.packets(row)) for row in range(4)] == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Remote("media.example", 4000), "media.example"),
        (Remote(FAR[0], 65536), "port 65536"),
        (Remote(FAR[0], -1), "port -1"),
        (Remote(*FAR, payload_type=18), "payload type 18"),
        (Remote(*FAR, dtmf_type=128), "payload type 128"),
        (Remote(*FAR, dtmf_rate=0), "at 0 Hz"),
        (Play(1, (-(10**30),)), "pause"),
        (Play(1, (77,)), "clip number 77"),
        (Play(1, (), repeat=True), "nothing cannot be repeated"),
        (SendDigits("12x"), "substring"),
        (Listen(("x-ray",)), "x-ray"),
        (Open(), "open already"),
    ],
)
def test_a_command_that_cannot_be_done_ends_this_slot_only(stage, command, text):
    stage.open(0)
    stage.open(1)
    stage.do(command)
    stage.do(Close())
    assert len(stage.events) == 1
    assert isinstance(stage.events[0], Faulted)
    assert text in stage.events[0].message
    stage.turn(2)
    assert [len(stage.packets(row)) for row in range(2)] == [0, 2]


def test_a_clip_that_is_gone_or_broken(stage, tmp_path):
    (tmp_path / "broken").write_bytes(b"ZVONCLIP" + bytes(60))
    stage.do(Load(8, str(tmp_path / "gone")), Load(9, str(tmp_path / "broken")), row=-1)
    for row, clip in enumerate((8, 9)):
        stage.open(row)
        stage.do(Play(1, (clip,)), row=row)
    assert [type(event) for event in stage.events] == [Faulted, Faulted]


def test_a_mistake_of_ours_ends_one_slot_only(stage, capsys):
    """Whatever breaks in the middle of a turn, wherever: the other calls go on."""
    for row in range(SLOTS):
        stage.open(row, ptime_ms=20 if row < 2 else 30)
        stage.do(Listen(("voice",)), Play(row, (-60,)), row=row)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    slots = stage.tick._slots
    slots[0].player.item_over = broken
    slots[1].incoming.take = broken
    slots[2].outgoing.tick = broken
    for row in range(SLOTS):
        stage.hear(row=row)
    stage.turn(5)
    faults = {envelope.slot for envelope in stage.envelopes if isinstance(envelope.body, Faulted)}
    assert faults == {0, 1, 2}
    assert stage.of(Played) == [Played(3, 60, "ended")]
    assert stage.tick.slots == 1
    assert capsys.readouterr().err.count("\nZeroDivisionError\n") == 3


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_nowhere_to_send_to(stage, host):
    stage.do(Open(), Remote(host, 0 if host == FAR[0] else 4000))
    stage.turn(3)
    assert stage.packets() == []


def test_the_control_side_has_died(stage, capsys):
    """That is no fault of the slot that wanted to tell something: the process ends, and says nothing of it."""

    def gone(_envelope):
        raise Gone

    stage.open()
    stage.tick._emit = gone
    with pytest.raises(Gone):
        stage.do(Close())
    assert capsys.readouterr().err == ""
