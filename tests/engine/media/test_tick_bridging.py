"""Two slots that send what the other hears."""

from __future__ import annotations

from itertools import pairwise

import pytest
from stage import FAR, NOISE, SILENCE, coded

from detection.ears import Heard
from detection.key_press import KEYS
from engine.media.g711 import Law, decode, encode
from engine.media.jitter import DELAY_FRAMES
from engine.media.rtp import parse
from engine.media.telephone_event import parse as parse_event
from engine.media.wire import (
    Bridge,
    Close,
    Digit,
    Open,
    Remote,
    Sent,
)


def bridged(stage, law_of_other=8):
    stage.open()
    stage.do(Open(), row=1, generation=5)
    stage.do(Remote("192.0.2.2", 5000, law_of_other), row=1, generation=5)
    stage.do(Bridge(1, 5))
    stage.do(Bridge(0, 1), row=1, generation=5)


@pytest.mark.parametrize("law_of_other", [8, 0])
def test_a_bridge_sends_what_the_other_side_says(stage, law_of_other):
    bridged(stage, law_of_other)
    frames = NOISE[:1600].reshape(10, 160)
    for frame in frames:
        stage.hear(coded(frame))
        stage.turn()
    sent = [parse(packet) for packet in stage.wire.sent[1]]
    assert {packet.payload_type for packet in sent} == {law_of_other}
    assert all((after.sequence - before.sequence) & 0xFFFF == 1 for before, after in pairwise(sent))
    assert all((after.timestamp - before.timestamp) & 0xFFFFFFFF == 160 for before, after in pairwise(sent))
    law = Law.A if law_of_other == 8 else Law.MU
    expected = [encode(decode(encode(frame, Law.A), Law.A), law).tobytes() for frame in frames]
    heard = [packet.payload for packet in sent][DELAY_FRAMES + 1 :]
    assert heard == expected[: len(heard)]
    assert len(heard) >= 8


def test_a_key_on_one_side_of_a_bridge_is_pressed_on_the_other(stage):
    bridged(stage)
    stage.press(7)
    stage.turn(12)
    events = [packet for packet in map(parse, stage.wire.sent[1]) if packet.payload_type == 101]
    assert {parse_event(packet.payload).code for packet in events} == {7}
    assert len({packet.timestamp for packet in events}) == 1
    assert stage.of(Digit) == [Digit("7")]


@pytest.mark.parametrize("other_takes_events", [True, False])
def test_a_key_heard_as_a_tone_is_pressed_once_on_the_other_side(stage, other_takes_events):
    """Whoever takes tones only hears it in the audio; pressed again it would be two."""
    bridged(stage)
    stage.do(Remote(*FAR, dtmf_type=None))
    stage.do(Remote("192.0.2.2", 5000, dtmf_type=101 if other_takes_events else None), row=1, generation=5)
    stage.ears.says = {1: [Heard(0, 60, "digit", KEYS.index("5"))]}
    stage.turn(20)
    assert stage.of(Digit) == [Digit("5", "inband")]
    assert bool(stage.of(Sent)) == other_takes_events


def test_a_lost_frame_is_the_last_one_again_and_then_silence(stage):
    bridged(stage)
    stage.hear(coded(NOISE[:160]))
    stage.turn(5)
    sent = [parse(packet).payload for packet in stage.wire.sent[1]]
    assert sent[DELAY_FRAMES + 1 :] == [coded(NOISE[:160])] * 2 + [SILENCE] * (len(sent) - DELAY_FRAMES - 3)


@pytest.mark.parametrize("end", ["bridge", "close"])
def test_a_bridge_ends(stage, end):
    bridged(stage)
    stage.hear(coded(NOISE[:160]))
    stage.turn(2)
    if end == "bridge":
        stage.do(Bridge(-1), row=1, generation=5)
    else:
        stage.do(Close())
        stage.hear(coded(NOISE[:160]))
    sent = len(stage.wire.sent[1])
    stage.turn(3)
    assert [parse(packet).payload for packet in stage.wire.sent[1][sent:]] == [SILENCE] * 3


def test_nobody_is_bridged_to_a_later_call_of_a_slot(stage):
    bridged(stage)
    stage.do(Close())
    stage.do(Open(), generation=2)
    stage.do(Remote(*FAR), generation=2)
    stage.do(Bridge(0, 1), row=1, generation=5)
    stage.hear(coded(NOISE[:160]))
    stage.turn(4)
    assert {parse(packet).payload for packet in stage.wire.sent[1]} == {SILENCE}
