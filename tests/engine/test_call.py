"""The call as a machine: inputs with their times in, orders and facts out. No clock, no socket."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.call import LEAVING_S, MAX_WAIT_S, NO_SPEECH_START_S, RECORDING_S, Call, Phase
from engine.events import (
    Answered,
    AnswerOffer,
    EarlyMedia,
    Ended,
    Failed,
    Hangup,
    InfoDigit,
    Origin,
    Place,
    RemoteOffer,
    Ringing,
    Side,
    Trying,
)
from engine.media import wire
from engine.orders import Fact, HangupWanted, Input, Output, SetTimer, Start, TimerFired
from engine.settings import Settings
from ivr.events import PlayPrompt
from ivr.model import Block, File, Gather, Interrupt, Limits, Script

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
VIDEO_ONLY = SDP.replace(b"m=audio 4000", b"m=video 4000")

MENU = Script(
    name="menu",
    start="ask",
    blocks=(
        Block("ask", (File("ask.wav"),), Interrupt.DIGITS, Gather(), (("1", "yes"),), ("asked",)),
        Block("yes", (File("yes.wav"),), tags=("confirmed",)),
    ),
    limits=Limits(duration_ms=60_000),
)


class Driver:
    """Feeds a call and keeps what came out, with a clock of its own."""

    def __init__(self, script: Script = MENU, **options: Any) -> None:
        chosen = {
            "call": "c1", "to": "79990000001", "outgoing": "74951234567", "trunk": "t", "timeout_s": 30.0,
            "codecs": ("pcma", "pcmu"), "media_host": "192.0.2.9", "media_port": 20000, "session": 7,
        }  # fmt: skip
        self.call = Call(Settings(**{**chosen, **options}), script)
        self.at = 1000.0
        self.out: list[Output] = []

    def feed(self, event: Input, after: float = 0.0) -> list[Output]:
        self.at += after
        outputs = self.call.step(self.at, event)
        self.out += outputs
        return outputs

    def answer(self) -> None:
        for event in (Start(), Trying(), Ringing(), Answered(SDP)):
            self.feed(event)

    def facts(self) -> list[str]:
        return [output.type for output in self.out if isinstance(output, Fact)]

    def ended(self) -> dict[str, Any]:
        last = self.out[-1]
        assert isinstance(last, Fact)
        assert last.type == "ended"
        return last.data


def of_kind(outputs: list[Output], kind: type) -> list[Any]:
    return [output for output in outputs if isinstance(output, kind)]


def test_a_whole_call() -> None:
    driver = Driver()
    placed = of_kind(driver.feed(Start()), Place)
    assert (placed[0].to, placed[0].outgoing) == ("79990000001", "74951234567")
    assert b"m=audio 20000" in placed[0].sdp
    driver.feed(Trying())
    driver.feed(Ringing(), after=1)
    out = driver.feed(Answered(SDP), after=2)
    assert of_kind(out, wire.Remote) == [wire.Remote("192.0.2.1", 4000, 8, 101)]
    assert of_kind(out, PlayPrompt)[0].items == (File("ask.wav"),)
    driver.feed(wire.Digit("1"), after=1.5)
    driver.feed(wire.Played(1, 1500, wire.Stopped.DIGIT))
    plays = of_kind(driver.out, PlayPrompt)
    assert plays[-1].items == (File("yes.wav"),)
    out = driver.feed(wire.Played(plays[-1].play, 2000, wire.Stopped.ENDED), after=2)
    assert of_kind(out, Hangup)
    out = driver.feed(Ended(Side.LOCAL))
    assert of_kind(out, wire.Close)
    driver.feed(wire.Closed(180, 177, 2, 1, doubled=1, jitter_ms=1.25, mos=4.3, strangers=1))
    result = driver.ended()
    media = {
        "sent": 180, "received": 177, "lost": 2, "late": 0, "doubled": 1, "invalid": 1, "jitter_ms": 1.25,
        "round_trip_ms": None, "remote_lost": None, "remote_jitter_ms": None, "mos": 4.3, "one_way_audio": False,
        "dropped": {"strangers": 1, "garbage": 0, "wrong_type": 0, "wrong_size": 0, "overflowed": 0},
    }  # fmt: skip
    assert result["media"] == media
    expected = {
        "disposition": "answered", "sip_code": 200, "hangup_cause": 16, "ended_by": "us", "digits": "1",
        "answers": ["1"], "path": ["ask", "yes"], "tags": ["asked", "confirmed"], "heard_ms": 3500,
        "duration_ms": 3500, "answered_at": 1003.0,
    }  # fmt: skip
    assert {name: result[name] for name in expected} == expected
    seqs = [output.seq for output in driver.out if isinstance(output, Fact)]
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.parametrize(
    ("event", "disposition", "sip_code", "cause", "ended_by"),
    [
        (Failed(486, "Busy Here", Origin.REMOTE), "busy", 486, 17, "callee"),
        (Failed(404, "Not Found", Origin.REMOTE, q850=3), "unallocated", 404, 3, "network"),
        (Failed(699, "", Origin.REMOTE), "rejected", 699, 21, "callee"),
        (Failed(None, "no response", Origin.TIMEOUT), "trunk_error", None, 102, "network"),
        (Failed(None, "no address", Origin.LOCAL), "trunk_error", None, 38, "network"),
    ],
)
def test_a_failure_is_a_result(
    event: Failed, disposition: str, sip_code: int | None, cause: int, ended_by: str
) -> None:
    driver = Driver()
    driver.feed(Start())
    driver.feed(event, after=1)
    driver.feed(wire.Closed(0, 0, 0, 0))
    result = driver.ended()
    told = [result[name] for name in ("disposition", "sip_code", "hangup_cause", "ended_by", "answered_at")]
    assert told == [disposition, sip_code, cause, ended_by, None]


def test_ringing_is_given_up_at_the_timeout() -> None:
    driver = Driver()
    timers = {output.name: output.at for output in of_kind(driver.feed(Start()), SetTimer)}
    assert timers["ring"] == 1030.0
    driver.feed(Ringing(), after=1)
    assert of_kind(driver.feed(TimerFired("ring"), after=29), Hangup) == [Hangup(19)]
    driver.feed(Failed(487, "Request Terminated", Origin.LOCAL))
    driver.feed(wire.Closed(0, 0, 0, 0))
    result = driver.ended()
    assert (result["disposition"], result["sip_code"], result["hangup_cause"]) == ("no_answer", 487, 19)


def test_a_trunk_that_says_nothing_is_no_unanswered_call() -> None:
    driver = Driver()
    driver.feed(Start())
    driver.feed(TimerFired("ring"), after=30)
    driver.feed(Failed(None, "hung up", Origin.LOCAL))
    driver.feed(wire.Closed(0, 0, 0, 0))
    result = driver.ended()
    assert [result[name] for name in ("disposition", "sip_code", "ended_by")] == ["trunk_error", None, "network"]


def test_a_peer_that_ignores_cancel_does_not_keep_the_call() -> None:
    driver = Driver()
    driver.feed(Start())
    driver.feed(Ringing())
    driver.feed(TimerFired("ring"), after=30)
    assert of_kind(driver.feed(TimerFired("leaving"), after=LEAVING_S), wire.Close)
    driver.feed(TimerFired("closing"), after=1)
    assert driver.ended()["disposition"] == "no_answer"


def test_busy_that_crosses_our_cancel_is_busy() -> None:
    driver = Driver()
    driver.feed(Start())
    driver.feed(Ringing())
    driver.feed(TimerFired("ring"), after=30)
    driver.feed(Failed(486, "Busy Here", Origin.REMOTE))
    driver.feed(wire.Closed(0, 0, 0, 0))
    assert driver.ended()["disposition"] == "busy"


@pytest.mark.parametrize(("answered", "disposition", "code"), [(False, "cancelled", 487), (True, "answered", 200)])
def test_hung_up_by_the_one_who_asked(answered: bool, disposition: str, code: int) -> None:
    driver = Driver()
    driver.answer() if answered else driver.feed(Start())
    assert of_kind(driver.feed(HangupWanted()), Hangup)
    assert not of_kind(driver.feed(HangupWanted()), Hangup)
    driver.feed(Ended(Side.LOCAL) if answered else Failed(487, "", Origin.LOCAL))
    driver.feed(wire.Closed(0, 0, 0, 0))
    result = driver.ended()
    assert (result["disposition"], result["ended_by"], result["sip_code"]) == (disposition, "us", code)


def test_the_callee_hangs_up_in_mid_prompt() -> None:
    driver = Driver()
    driver.answer()
    driver.feed(Ended(Side.REMOTE, q850=31), after=1.2)
    driver.feed(wire.Played(1, 1180, wire.Stopped.CLOSED))
    driver.feed(wire.Closed(60, 60, 0, 0))
    result = driver.ended()
    told = [result[name] for name in ("ended_by", "heard_ms", "duration_ms", "hangup_cause")]
    assert told == ["callee", 1180, 1200, 31]


def test_a_digit_by_info_stops_the_prompt() -> None:
    driver = Driver()
    driver.answer()
    assert of_kind(driver.feed(InfoDigit("1")), wire.Stop)
    driver.feed(wire.Played(1, 500, wire.Stopped.STOPPED))
    assert driver.call._tally.path == ["ask", "yes"]


def test_a_digit_reported_twice_is_one() -> None:
    driver = Driver()
    driver.answer()
    driver.feed(wire.Digit("1"))
    driver.feed(InfoDigit("1"), after=0.1)
    assert driver.call._tally.digits == "1"


class TestGreeting:
    """`detect_end_of_speech`: the first prompt waits, but not for ever."""

    def greeted(self) -> Driver:
        driver = Driver(detect_end_of_speech=True)
        driver.answer()
        assert not of_kind(driver.out, PlayPrompt)
        return driver

    def test_it_waits_for_the_end_of_speech(self) -> None:
        driver = self.greeted()
        driver.feed(wire.SpeechStarted(400), after=0.4)
        assert of_kind(driver.feed(wire.SpeechEnded(1200), after=1.2), PlayPrompt)

    def test_a_silent_callee_gets_the_prompt_anyway(self) -> None:
        driver = self.greeted()
        timers = {output.name: output.at - driver.at for output in of_kind(driver.out, SetTimer)}
        assert (timers["no_speech"], timers["max_wait"]) == (NO_SPEECH_START_S, MAX_WAIT_S)
        assert of_kind(driver.feed(TimerFired("no_speech"), after=2.5), PlayPrompt)

    def test_one_who_talks_on_gets_it_too(self) -> None:
        driver = self.greeted()
        driver.feed(wire.SpeechStarted(400), after=0.4)
        assert of_kind(driver.feed(TimerFired("max_wait"), after=4), PlayPrompt)

    def test_a_key_ends_the_wait_and_counts(self) -> None:
        driver = self.greeted()
        driver.feed(wire.Digit("1"), after=0.3)
        assert driver.call._tally.path == ["ask", "yes"]


def test_early_media_then_answer() -> None:
    driver = Driver()
    driver.feed(Start())
    assert of_kind(driver.feed(EarlyMedia(SDP)), wire.Remote)
    driver.feed(wire.Digit("5"))  # before the answer: not heard
    driver.feed(Answered(SDP), after=3)
    assert driver.facts()[:3] == ["dialing", "early_media", "answered"]
    assert driver.call._tally.digits == ""


def test_an_answer_without_audio_is_hung_up() -> None:
    driver = Driver()
    driver.feed(Start())
    assert of_kind(driver.feed(Answered(VIDEO_ONLY)), Hangup)
    driver.feed(Ended(Side.LOCAL))
    driver.feed(wire.Closed(0, 0, 0, 0))
    result = driver.ended()
    assert (result["disposition"], result["hangup_cause"]) == ("trunk_error", 79)


def test_hold_is_answered() -> None:
    driver = Driver()
    driver.answer()
    out = driver.feed(RemoteOffer(SDP + b"a=sendonly\r\n"))
    assert b"recvonly" in of_kind(out, AnswerOffer)[0].sdp
    assert of_kind(out, wire.Remote)[0].send is False
    assert of_kind(driver.feed(RemoteOffer(VIDEO_ONLY)), AnswerOffer) == [AnswerOffer(b"")]
    assert b"m=audio 20000" in of_kind(driver.feed(RemoteOffer(b"")), AnswerOffer)[0].sdp


def test_the_watchdog_ends_whatever_goes_on() -> None:
    driver = Driver()
    driver.answer()
    driver.feed(TimerFired("watchdog"), after=driver.call.upper_bound_s)
    result = driver.ended()
    assert (result["disposition"], result["ended_by"]) == ("answered", "watchdog")


def test_a_dead_media_process_is_our_fault() -> None:
    driver = Driver()
    driver.answer()
    assert of_kind(driver.feed(wire.Faulted("the media process died")), Hangup)
    result = driver.ended()
    assert (result["disposition"], result["reason"]) == ("internal_error", "the media process died")
    assert result["media"] is None


SAVED = wire.Recorded("/call.wav", 1500, "saved", "", 1003.01)


def recorded() -> Driver:
    driver = Driver(record_to="/call.wav")
    driver.answer()
    return driver


def test_a_recording_begins_at_the_answer_and_is_told_before_the_end() -> None:
    driver = Driver(record_to="/call.wav")
    for event in (Start(), Ringing(), EarlyMedia(SDP)):
        assert not of_kind(driver.feed(event), wire.Record)
    out = driver.feed(Answered(SDP))
    assert of_kind(out, wire.Record) == [wire.Record("/call.wav")]
    driver.feed(Ended(Side.REMOTE))
    assert not of_kind(driver.feed(wire.Closed(1, 1, 0, 0)), Fact)  # the result waits
    driver.feed(SAVED)
    assert driver.facts()[-2:] == ["recording", "ended"]
    (told,) = (output for output in driver.out if isinstance(output, Fact) and output.type == "recording")
    assert told.data == driver.ended()["recording"]
    assert told.data == {
        "path": "/call.wav", "duration_ms": 1500, "state": "saved", "why": "", "started_at": 1003.01,
    }  # fmt: skip


@pytest.mark.parametrize("before", [Ended(Side.REMOTE), wire.SpeechStarted(0)])
def test_what_became_of_a_recording_may_come_first(before: Input) -> None:
    driver = recorded()
    for event in (before, SAVED, Ended(Side.REMOTE), wire.Closed(1, 1, 0, 0)):
        driver.feed(event)
    assert driver.facts().count("recording") == 1
    assert driver.ended()["recording"]["state"] == "saved"


def test_a_writer_that_says_nothing_is_waited_for_so_long() -> None:
    driver = recorded()
    driver.feed(Ended(Side.REMOTE))
    driver.feed(wire.Closed(1, 1, 0, 0))
    timers = [output for output in driver.out if isinstance(output, SetTimer) and output.name == "closing"]
    assert timers[-1].at == driver.at + RECORDING_S
    driver.feed(TimerFired("closing"), after=RECORDING_S)
    assert driver.facts()[-2:] == ["recording", "ended"]
    told = driver.ended()["recording"]
    assert (told["state"], told["why"]) == ("failed", "the writer did not answer in time")
    assert driver.feed(SAVED) == []


def test_a_recording_outlives_its_media_process() -> None:
    driver = recorded()
    assert of_kind(driver.feed(wire.Faulted("the media process died")), Hangup)
    driver.feed(Ended(Side.LOCAL))
    assert driver.call.phase is Phase.CLOSING
    driver.feed(replace(SAVED, state="incomplete", why="the media process died"))
    result = driver.ended()
    assert (result["disposition"], result["recording"]["state"]) == ("internal_error", "incomplete")


def test_the_watchdog_waits_for_no_writer() -> None:
    driver = recorded()
    driver.feed(TimerFired("watchdog"))
    assert driver.ended()["recording"]["state"] == "failed"


def test_nothing_is_recorded_of_a_call_that_nobody_answers() -> None:
    driver = Driver(record_to="/call.wav")
    for event in (Start(), Failed(486, "", Origin.REMOTE), wire.Closed(0, 0, 0, 0)):
        driver.feed(event)
    assert not of_kind(driver.out, wire.Record)
    assert driver.ended()["recording"] is None


EVENTS: list[Input] = [
    Start(), HangupWanted(), Trying(), Ringing(), EarlyMedia(SDP), EarlyMedia(b"\xff"), Answered(SDP),
    Answered(b"nonsense"), RemoteOffer(SDP), RemoteOffer(b"x"), InfoDigit("1"), InfoDigit("9"), wire.Digit("1"),
    wire.Digit("#"), wire.Played(1, 100, "ended"), wire.Played(2, 100, "digit"), wire.SpeechStarted(0),
    wire.SpeechEnded(0), wire.NoMedia(), wire.MediaStarted(), wire.Closed(0, 0, 0, 0), wire.Faulted("died"),
    SAVED, Failed(486, "", Origin.REMOTE), Failed(None, "", Origin.TIMEOUT), Ended(Side.REMOTE), Ended(Side.NETWORK),
]  # fmt: skip
TIMERS = ("ring", "leaving", "closing", "no_speech", "max_wait", "watchdog", "script:timeout", "script:duration")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*EVENTS, *map(TimerFired, TIMERS)]), max_size=40), st.sampled_from([None, "/call.wav"])
)
def test_any_order_of_inputs_ends_once_and_never_raises(inputs: list[Input], record_to: str | None) -> None:
    driver = Driver(record_to=record_to)
    driver.feed(Start())
    for event in inputs:
        was_over = driver.call.phase is Phase.OVER
        outputs = driver.feed(event, after=0.5)
        assert not (was_over and outputs)
    driver.feed(TimerFired("watchdog"), after=1)
    assert driver.facts().count("ended") == 1
    assert driver.facts()[-1] == "ended"
    assert len(of_kind(driver.out, Hangup)) <= 2
