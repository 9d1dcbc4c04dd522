"""Keys, heard and pressed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from stage import FAR, NOISE, SILENCE, Stage, coded

from detection.ears import Heard
from engine.media import tones
from engine.media.telephone_event import Event
from engine.media.telephone_event import build as build_event
from engine.media.telephone_event import parse as parse_event
from engine.media.wire import (
    Digit,
    Listen,
    MediaStarted,
    Play,
    Played,
    Remote,
    SendDigits,
    Sent,
    SpeechEnded,
    SpeechStarted,
    Stop,
)


def test_digits_between_voice(stage):
    stage.open()
    for code in (1, 1, 11):
        for _ in range(3):
            stage.hear()
        stage.press(code)
        stage.timestamp += 800
    stage.turn(30)
    assert stage.events == [MediaStarted(), Digit("1"), Digit("1"), Digit("#")]


def test_a_digit_may_be_the_first_packet(stage):
    stage.open()
    stage.press(5)
    stage.turn()
    assert stage.events == [MediaStarted(), Digit("5")]


def test_events_of_another_type_are_no_digits(stage):
    stage.open(dtmf_type=96)
    stage.press(5)
    stage.turn(5)
    assert stage.of(Digit) == []
    stage.do(Remote(*FAR, dtmf_type=None))
    stage.hear(build_event(Event(5, False, 160)), 96)
    stage.turn()
    assert stage.of(Digit) == []


@pytest.mark.parametrize(
    ("interrupt", "by_digit", "by_voice"),
    [("none", False, False), ("digits", True, False), ("voice", False, True), ("any", True, True)],
)
def test_what_stops_a_prompt(tmp_path, interrupt, by_digit, by_voice):
    for voice, stops in ((False, by_digit), (True, by_voice)):
        stage = Stage(tmp_path)
        stage.open()
        clip = stage.clip(NOISE)
        stage.do(Listen(("voice",)), Play(1, (clip,), interrupt), Play(2, (clip,), "none"))
        if voice:
            stage.ears.says[5] = [Heard(0, 60, "speech_started", 1.0)]
        stage.turn(4)
        if not voice:
            stage.press(7)
        stage.turn(46)
        heard = SpeechStarted(60) if voice else Digit("7")
        events = [event for event in stage.events if not isinstance(event, MediaStarted)]
        if stops:
            why = "voice" if voice else "digit"
            assert events == [heard, Played(1, 100, why), Played(2, 0, why)]
        else:
            assert events == [heard, Played(1, 500, "ended"), Played(2, 500, "ended")]


def test_a_key_before_the_first_packet_of_a_prompt_does_not_stop_it(stage):
    stage.open()
    stage.press(7)
    stage.turn()
    stage.do(Play(1, (stage.clip(NOISE),), "digits"))
    stage.turn(30)
    assert stage.of(Played) == [Played(1, 500, "ended")]


def test_speech_that_goes_on_does_not_stop_the_next_prompt(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    stage.ears.says = {2: [Heard(0, 20, "speech_started", 1.0)], 9: [Heard(0, 100, "speech_ended", 0.0)]}
    stage.turn(3)
    stage.do(Play(1, (stage.clip(NOISE),), "any"))
    stage.turn(30)
    assert stage.events == [SpeechStarted(20), SpeechEnded(100), Played(1, 500, "ended")]


def test_keys_as_events_after_the_prompt(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE[:320]),)), SendDigits("1#", 60, 80), Play(2, (stage.clip(NOISE[320:640]),)))
    stage.turn(25)
    packets = stage.packets()
    assert stage.events == [Played(1, 40, "ended"), Sent(), Played(2, 40, "ended")]
    assert [(b.sequence - a.sequence) % (1 << 16) for a, b in pairwise(packets)] == [1] * (len(packets) - 1)
    keys = [packet for packet in packets if packet.payload_type == 101]
    told = [parse_event(packet.payload) for packet in keys]
    assert [event.code for event in told] == [1] * 6 + [11] * 6
    assert [event.end for event in told] == ([False] * 3 + [True] * 3) * 2
    assert [packet.marker for packet in keys] == ([True] + [False] * 5) * 2
    assert {packet.timestamp for packet in keys[:6]} == {(packets[0].timestamp + 320) % (1 << 32)}
    assert {packet.timestamp for packet in keys[6:]} == {(packets[0].timestamp + 320 + 7 * 160) % (1 << 32)}
    assert stage.payload() == b"".join([coded(NOISE[:320]), SILENCE * 2, coded(NOISE[320:640]), SILENCE * 7])


def test_keys_as_tones_where_events_are_not_taken(stage):
    stage.open(dtmf_type=None)
    stage.do(SendDigits("5", 40, 40))
    stage.turn(6)
    tone = np.concatenate([tones.frame("5", 0), tones.frame("5", 1)])
    assert stage.payload() == coded(tone) + SILENCE * 4
    assert stage.events == [Sent()]
    spectrum = np.abs(np.fft.rfft(np.concatenate([tones.frame("5", age) for age in range(50)])))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [770, 1336]


@pytest.mark.parametrize("ptime_ms", [10, 30])
def test_keys_with_other_packet_times(stage, ptime_ms):
    stage.open(ptime_ms=ptime_ms)
    stage.do(SendDigits("42"))
    stage.turn(30)
    keys = [parse_event(packet.payload) for packet in stage.packets() if packet.payload_type == 101]
    assert [event.code for event in keys] == [4] * 8 + [2] * 8
    assert stage.events == [Sent()]


def test_stop_leaves_the_keys(stage):
    stage.open()
    stage.do(Play(1, (-1000,)), SendDigits("9", 40, 40))
    stage.turn(3)
    stage.do(Stop())
    stage.turn(6)
    assert stage.events == [Played(1, 60, "stopped"), Sent()]
