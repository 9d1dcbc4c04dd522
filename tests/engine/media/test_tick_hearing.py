"""What the ears are given, and what follows of what they say."""

from __future__ import annotations

import numpy as np
import pytest
from stage import FAR, NOISE, coded

from detection.bank import Bank
from detection.ears import Heard
from detection.key_press import KEYS
from engine.media.g711 import Law, decode, encode
from engine.media.jitter import DELAY_FRAMES
from engine.media.wire import (
    Close,
    Digit,
    Listen,
    Play,
    Played,
    Remote,
    SendDigits,
)


def test_ears_get_what_came_and_what_went(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Listen(("voice",)))
    frames = NOISE[::-1][:800].reshape(5, 160)
    for number, frame in enumerate(frames):
        stage.hear(coded(frame))
        if number == 3:
            stage.wire.waiting[0].pop()
        stage.turn()
    for number, (rows, rx, tx, present) in enumerate(stage.ears.steps):
        came = number - DELAY_FRAMES  # what comes waits so long in the jitter buffer
        assert rows.tolist() == [0]
        assert present.tolist() == [came >= 0 and came != 3]
        assert np.array_equal(tx[0], decode(encode(NOISE[number * 160 :][:160], Law.A), Law.A))
        if present[0]:
            assert np.array_equal(rx[0], decode(encode(frames[came], Law.A), Law.A))


@pytest.mark.parametrize("size", [40, 80, 240, 320, 480])
@pytest.mark.parametrize("payload_type", [0, 8])
def test_ears_get_frames_of_packets_of_any_size(stage, size, payload_type):
    law = Law.A if payload_type == 8 else Law.MU
    samples = np.resize(NOISE, 4800)
    stage.open()
    stage.do(Listen(("voice",)))
    due = 0
    for turn in range(35):
        while due + size <= min((turn + 1) * 160, 4800):
            stage.hear(coded(samples[due : due + size], law), payload_type)
            due += size
        stage.turn()
    heard = np.concatenate([rx[0] for _, rx, _, present in stage.ears.steps if present[0]])
    assert heard.size == 4800
    assert np.array_equal(heard, decode(encode(samples, law), law)[: heard.size])


def test_a_burst_reaches_the_ears_in_order(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    frames = NOISE[:1280].reshape(8, 160)
    for number, frame in enumerate(frames):
        stage.hear(coded(frame))
        if number not in (2, 3):
            stage.turn()
    stage.turn(6)
    heard = np.concatenate([rx[0] for _, rx, _, present in stage.ears.steps if present[0]])
    assert np.array_equal(heard, decode(encode(NOISE[:1280], Law.A), Law.A))


def test_a_late_turn_does_not_hear_but_takes_digits(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    stage.press(3)
    stage.turn(late=True)
    assert [present.tolist() for _, _, _, present in stage.ears.steps] == [[False]]
    assert stage.of(Digit) == [Digit("3")]


def test_keys_in_the_audio_are_listened_for_where_nothing_else_was_agreed(stage):
    """Whatever the call asks to hear; and until the far end agrees on events after all."""
    stage.open(dtmf_type=None)
    assert stage.ears.opened == {0: frozenset({"digits"})}
    stage.do(Listen(("voice",)))
    assert stage.ears.opened == {0: frozenset({"digits", "voice"})}
    stage.do(Listen(()))
    stage.turn()
    assert len(stage.ears.steps) == 1
    stage.do(Listen(("voice",)), Remote(*FAR))
    assert stage.ears.opened == {0: frozenset({"voice"})}
    stage.do(Listen(()))
    stage.turn()
    assert len(stage.ears.steps) == 1
    stage.do(Remote(*FAR, dtmf_type=None, receive=False))
    assert stage.ears.opened == {}


def test_a_key_in_the_audio_stops_the_prompt(stage):
    stage.open(dtmf_type=None)
    stage.do(Play(1, (stage.clip(NOISE),), "digits"))
    stage.ears.says = {3: [Heard(0, 30, "digit", 11)]}
    stage.turn(5)
    assert stage.events == [Digit("#", "inband"), Played(1, 60, "digit")]


def test_a_late_turn_hears_keys_in_the_audio(stage):
    stage.open(dtmf_type=None)
    for frame in NOISE[:800].reshape(5, 160):
        stage.hear(coded(frame))
    stage.turn(3)
    stage.turn(late=True)
    assert stage.ears.steps[-1][3].tolist() == [True]
    assert stage.ears.steps[-1][1].any()


def test_a_reader_of_tones_hears_what_we_press_as_tones(stage):
    """Our own overlay, through the law and back, at the shortest that anyone must hear."""
    stage.open(dtmf_type=None)
    stage.do(SendDigits("159#AA", 40, 40))
    stage.turn(30)
    ear = Bank(1)
    ear.open(0, frozenset({"digits"}))
    silent = np.zeros((1, 160), np.int16)
    keys = ""
    for packet in stage.packets():
        frame = decode(np.frombuffer(packet.payload, np.uint8), Law.A)[None]
        keys += "".join(KEYS[int(heard.value)] for heard in ear.step(np.array([0]), frame, silent, np.array([True])))
    assert keys == "159#AA"


def test_listening_ends(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    assert stage.ears.opened == {0: frozenset({"voice"})}
    stage.turn()
    stage.do(Listen(()))
    stage.turn()
    assert len(stage.ears.steps) == 1
    stage.do(Listen(("voice",)), Close())
    assert stage.ears.opened == {}
