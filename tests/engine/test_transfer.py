"""A call that is connected to a manager, as a machine: two legs, one end each, whatever comes in which order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.call import Call, Phase
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
from engine.manager_leg import CLOSING_S, LEAVING_S
from engine.media import wire
from engine.orders import (
    CancelTimer,
    Fact,
    HangupWanted,
    Input,
    Join,
    LegOpened,
    LegRefused,
    OfLeg,
    OpenLeg,
    Output,
    PlayTone,
    ReleaseLeg,
    SetTimer,
    Start,
    TimerFired,
    Tone,
)
from engine.settings import Settings
from ivr.events import PlayPrompt
from ivr.model import Block, CallerId, File, Gather, Interrupt, Limits, Script, Transfer

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
OTHER_SDP = SDP.replace(b"4000 RTP/AVP 8", b"5000 RTP/AVP 0").replace(b"a=rtpmap:8 PCMA/8000\r\n", b"")
CLOSED = wire.Closed(0, 0, 0, 0)


def script(*to: str, on: dict[str, str] | None = None, caller_id: CallerId = CallerId.OUTGOING) -> Script:
    """A block that calls these managers, and `sorry`, which says something."""
    blocks = (
        Block("sales", on=tuple((on or {}).items()), transfer=Transfer(to or ("101",), caller_id, 20_000)),
        Block("sorry", (File("sorry.wav"),)),
        Block("ask", (File("ask.wav"),), Interrupt.ANY, Gather(), (("1", "sales"),)),
        Block("nothing"),
    )
    return Script("sales", "sales", blocks, Limits(duration_ms=120_000))


class Driver:
    """Feeds a call, and keeps the books of its shell: what is open and what is set."""

    def __init__(self, chosen: Script | None = None) -> None:
        self.script = chosen or script()
        self.settings = Settings("c1", "79990000001", "74951234567", "t", 30.0, ("pcma", "pcmu"), "192.0.2.9", 20000, 7)
        self.call = Call(self.settings, self.script)
        self.at = 1000.0
        self.fed: list[tuple[float, Input, str]] = []
        self.out: list[Output] = []
        self.open: set[str] = set()  # further legs that hold something
        self.names: Counter[str] = Counter()
        self.timers: set[str] = set()

    def feed(self, event: Input, leg: str = "", after: float = 0.0) -> list[Output]:
        self.at += after
        if isinstance(event, TimerFired):
            self.timers.discard(event.name)
        self.fed.append((self.at, event, leg))
        outputs = self.call.step(self.at, event, leg)
        for output in outputs:
            self._keep(output)
        self.out += outputs
        return outputs

    def _keep(self, output: Output) -> None:
        match output:
            case OpenLeg(leg):
                self.names[leg] += 1
                self.open.add(leg)
                assert len(self.open) == 1, "two managers at once"
            case ReleaseLeg(leg):
                self.open.remove(leg)  # exactly once
            case OfLeg(leg) | Join(leg):
                assert leg in self.open, "an order for a leg that is over"
            case SetTimer(name):
                self.timers.add(name)
            case CancelTimer(name):
                self.timers.discard(name)

    def begin(self) -> None:
        for event in (Start(), Trying(), Answered(SDP)):
            self.feed(event)

    def ring(self, leg: str = "m1") -> None:
        for event in (LegOpened(20002, 8), Trying(), Ringing()):
            self.feed(event, leg)

    def talk(self, leg: str = "m1") -> list[Output]:
        self.ring(leg)
        return self.feed(Answered(OTHER_SDP), leg, after=2)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        return [output.data for output in self.out if isinstance(output, Fact) and output.type == kind]

    def result(self) -> dict[str, Any]:
        last = self.out[-1]
        assert isinstance(last, Fact)
        assert last.type == "ended"
        assert not self.open, "a leg stays behind"
        return last.data


def orders(outputs: list[Output], leg: str, kind: type) -> list[Any]:
    return [out.order for out in outputs if isinstance(out, OfLeg) and out.leg == leg and isinstance(out.order, kind)]


def of_kind(outputs: list[Output], kind: type) -> list[Any]:
    return [output for output in outputs if isinstance(output, kind)]


def test_a_talk_with_a_manager() -> None:
    driver = Driver(script(on={"ended": "sorry"}))
    driver.begin()
    assert [out for out in driver.out if isinstance(out, OpenLeg | PlayTone)] == [OpenLeg("m1"), PlayTone(Tone.HOLD)]
    placed = orders(driver.feed(LegOpened(20002, 8), "m1"), "m1", Place)[0]
    assert (placed.trunk, placed.to, placed.outgoing) == ("t", "101", "74951234567")
    assert b"m=audio 20002" in placed.sdp
    driver.feed(Trying(), "m1")
    assert of_kind(driver.feed(Ringing(), "m1", after=1), PlayTone) == [PlayTone(Tone.RINGBACK)]
    out = driver.feed(Answered(OTHER_SDP), "m1", after=2)
    assert orders(out, "m1", wire.Remote) == [wire.Remote("192.0.2.1", 5000, 0, 101)]
    assert [type(output) for output in out][-2:] == [wire.Stop, Join]
    out = driver.feed(Ended(Side.REMOTE), "m1", after=10)
    assert orders(out, "m1", wire.Close)
    out = driver.feed(CLOSED, "m1", after=0.02)
    assert of_kind(out, PlayPrompt)[0].items == (File("sorry.wav"),)
    driver.feed(wire.Played(1, 900, "ended"), after=1)
    driver.feed(Ended(Side.LOCAL))
    driver.feed(CLOSED)
    result = driver.result()
    assert result["ended_by"] == "us"
    assert result["manager"] == {
        "to": "101", "shown": "74951234567", "started_at": 1000.0, "answered_at": 1003.0, "ended_at": 1013.0,
        "status": "answered", "sip_code": 200, "hangup_cause": 16,
    }  # fmt: skip
    assert driver.facts("transfer_started") == [{"to": "101", "shown": "74951234567", "tried": 1}]
    assert driver.facts("transfer_ringing") == [{"to": "101", "code": 180}]
    assert driver.facts("transfer_answered") == [{"to": "101"}]
    assert driver.facts("transfer_ended") == [{"to": "101", "ended_by": "manager", "duration_ms": 10_000}]
    assert driver.facts("transfer_failed") == []


@pytest.mark.parametrize("on", [{}, {"ended": "nothing"}])
def test_the_managers_hang_up_ends_the_call_where_the_script_says_nothing_else(on: dict[str, str]) -> None:
    driver = Driver(script(on=on))
    driver.begin()
    driver.talk()
    driver.feed(Ended(Side.REMOTE), "m1")
    assert of_kind(driver.feed(CLOSED, "m1"), Hangup) == [Hangup(16)]
    driver.feed(Ended(Side.LOCAL))
    driver.feed(CLOSED)
    assert (driver.result()["ended_by"], driver.result()["disposition"]) == ("manager", "answered")


def test_the_callees_hang_up_ends_the_talk() -> None:
    driver = Driver()
    driver.begin()
    driver.talk()
    out = driver.feed(Ended(Side.REMOTE), after=5)
    assert orders(out, "m1", Hangup) == [Hangup(16)]
    driver.feed(CLOSED)
    assert driver.call.phase is Phase.CLOSING  # the manager's leg is not over
    driver.feed(Ended(Side.LOCAL), "m1")
    driver.feed(CLOSED, "m1")
    assert driver.result()["ended_by"] == "callee"
    assert driver.result()["manager"]["status"] == "answered"
    assert driver.facts("transfer_ended") == [{"to": "101", "ended_by": "callee", "duration_ms": 5000}]


def test_the_callee_hangs_up_while_it_rings_at_the_managers() -> None:
    driver = Driver()
    driver.begin()
    driver.ring()
    assert orders(driver.feed(Ended(Side.REMOTE)), "m1", Hangup)
    driver.feed(CLOSED)
    driver.feed(Failed(487, "Request Terminated", Origin.REMOTE), "m1")
    driver.feed(CLOSED, "m1")
    assert driver.result()["manager"]["status"] == "cancelled"
    failed = {"to": "101", "disposition": "cancelled", "sip_code": 487, "reason": ""}
    assert driver.facts("transfer_failed") == [failed]


def test_the_callee_hangs_up_before_the_trunk_has_a_line() -> None:
    driver = Driver()
    driver.begin()
    assert of_kind(driver.feed(Ended(Side.REMOTE)), ReleaseLeg) == [ReleaseLeg("m1")]
    driver.feed(CLOSED)
    assert driver.result()["manager"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("failed", "disposition", "leads_to"),
    [
        (Failed(486, "Busy Here", Origin.REMOTE), "busy", "busy"),
        (Failed(603, "Decline", Origin.REMOTE), "rejected", "rejected"),
        (Failed(404, "Not Found", Origin.REMOTE), "unallocated", "failed"),
        (Failed(503, "", Origin.REMOTE), "congestion", "failed"),
        (Failed(None, "no response", Origin.TIMEOUT), "trunk_error", "failed"),
    ],
)
def test_why_no_manager_could_be_reached_is_an_outcome(failed: Failed, disposition: str, leads_to: str) -> None:
    driver = Driver()
    driver.begin()
    driver.feed(LegOpened(20002, 8), "m1")
    driver.feed(failed, "m1")
    driver.feed(CLOSED, "m1")
    assert driver.facts("transfer_failed")[0]["disposition"] == disposition
    assert driver.facts("outcome")[0]["outcome"] == leads_to
    driver.feed(Ended(Side.LOCAL))
    driver.feed(CLOSED)
    assert (driver.result()["ended_by"], driver.result()["manager"]["status"]) == ("us", disposition)


def test_managers_are_tried_in_order() -> None:
    driver = Driver(script("101", "102", "103", on={"failed": "sorry"}))
    driver.begin()
    driver.ring("m1")
    out = driver.feed(TimerFired("m1:ring"), after=20)
    assert orders(out, "m1", Hangup) == [Hangup(19)]
    driver.feed(Failed(487, "", Origin.LOCAL), "m1")
    out = driver.feed(CLOSED, "m1")
    assert of_kind(out, OpenLeg) == [OpenLeg("m2")]
    assert of_kind(out, PlayTone) == [PlayTone(Tone.HOLD)]  # it does not ring any more
    driver.feed(LegRefused("no RTP port is free"), "m2")
    driver.talk("m3")
    tried = [(fact["to"], fact["tried"]) for fact in driver.facts("transfer_started")]
    assert tried == [("101", 1), ("102", 2), ("103", 3)]
    failed = [(fact["to"], fact["disposition"]) for fact in driver.facts("transfer_failed")]
    assert failed == [("101", "no_answer"), ("102", "congestion")]
    driver.feed(Ended(Side.REMOTE), "m3")
    driver.feed(CLOSED, "m3")
    assert driver.facts("outcome")[0]["outcome"] == "ended"
    driver.feed(Ended(Side.LOCAL))
    driver.feed(CLOSED)
    assert driver.result()["manager"]["to"] == "103"


def test_a_manager_who_answered_is_not_forgotten_for_one_who_did_not() -> None:
    again = Script("x", "a", (
        Block("a", on=(("ended", "b"),), transfer=Transfer(("101",))), Block("b", transfer=Transfer(("102",))),
    ))  # fmt: skip
    driver = Driver(again)
    driver.begin()
    driver.talk("m1")
    driver.feed(Ended(Side.REMOTE), "m1")
    driver.feed(CLOSED, "m1")
    driver.feed(LegRefused("no RTP port is free"), "m2")
    driver.feed(Ended(Side.LOCAL))
    driver.feed(CLOSED)
    assert driver.result()["manager"]["to"] == "101"


def test_the_manager_sees_the_callees_number() -> None:
    driver = Driver(script(caller_id=CallerId.CALLEE))
    driver.begin()
    assert orders(driver.feed(LegOpened(20002, 8), "m1"), "m1", Place)[0].outgoing == "79990000001"


def test_keys_in_a_talk_are_told_and_not_the_scripts() -> None:
    driver = Driver(script(on={"ended": "ask"}))
    driver.begin()
    driver.talk()
    assert orders(driver.feed(InfoDigit("1")), "m1", wire.SendDigits) == [wire.SendDigits("1")]
    assert not orders(driver.feed(wire.Digit("1"), after=0.1), "m1", wire.SendDigits)  # the media process passes it on
    assert of_kind(driver.feed(InfoDigit("5"), "m1"), wire.SendDigits) == [wire.SendDigits("5")]
    driver.feed(Ended(Side.REMOTE), "m1")
    driver.feed(CLOSED, "m1")
    assert driver.facts("block")[-1]["block"] == "ask"
    assert [fact["digit"] for fact in driver.facts("digit")] == ["1"]


def test_keys_for_a_menu_behind_the_number() -> None:
    driver = Driver(Script("x", "a", (Block("a", transfer=Transfer(("101",), digits=",1,,02#,")),)))
    driver.begin()
    out = driver.talk()
    assert orders(out, "m1", wire.Play) == [wire.Play(0, (-2500,)), wire.Play(0, (-4000,))]
    assert orders(out, "m1", wire.SendDigits) == [wire.SendDigits("1"), wire.SendDigits("02#")]
    assert isinstance([output for output in out if isinstance(output, OfLeg | Join)][1], Join)


def test_ears_rest_while_a_manager_is_called_or_talks() -> None:
    menu = script(on={"ended": "ask"})
    driver = Driver(Script("x", "ask", menu.blocks))
    driver.begin()
    assert of_kind(driver.out, wire.Listen) == [wire.Listen(("voice",))]
    driver.feed(wire.Digit("1"))
    out = driver.feed(wire.Played(1, 100, "digit"))
    assert of_kind(out, wire.Listen) == [wire.Listen(())]
    driver.talk()
    driver.feed(Ended(Side.REMOTE), "m1")
    assert of_kind(driver.feed(CLOSED, "m1"), wire.Listen) == [wire.Listen(("voice",))]


def test_a_timer_of_the_call_is_none_of_the_managers() -> None:
    driver = Driver()
    driver.begin()
    driver.ring()
    assert driver.feed(TimerFired("ring")) == []
    assert orders(driver.feed(TimerFired("m1:ring"), after=20), "m1", Hangup)


def test_either_side_may_hold() -> None:
    driver = Driver()
    driver.begin()
    driver.talk()
    out = driver.feed(RemoteOffer(OTHER_SDP + b"a=sendonly\r\n"), "m1")
    assert b"recvonly" in orders(out, "m1", AnswerOffer)[0].sdp
    assert orders(out, "m1", wire.Remote)[0].send is False
    assert orders(driver.feed(RemoteOffer(b"x"), "m1"), "m1", AnswerOffer) == [AnswerOffer(b"")]
    assert b"m=audio 20002" in orders(driver.feed(RemoteOffer(b""), "m1"), "m1", AnswerOffer)[0].sdp
    assert b"m=audio 20000" in of_kind(driver.feed(RemoteOffer(b"")), AnswerOffer)[0].sdp


def test_an_answer_without_audio_of_ours_is_the_next_ones_turn() -> None:
    driver = Driver(script("101", "102"))
    driver.begin()
    driver.ring()
    out = driver.feed(Answered(SDP.replace(b"m=audio", b"m=video")), "m1")
    assert orders(out, "m1", Hangup) == [Hangup(79)]
    assert not of_kind(out, Join)
    driver.feed(Ended(Side.LOCAL), "m1")
    assert of_kind(driver.feed(CLOSED, "m1"), OpenLeg) == [OpenLeg("m2")]
    assert driver.facts("transfer_failed")[0]["disposition"] == "trunk_error"


def test_a_talk_ends_with_the_duration_of_the_script() -> None:
    driver = Driver()
    driver.begin()
    driver.talk()
    out = driver.feed(TimerFired("script:duration"), after=118)
    assert of_kind(out, Hangup)
    assert orders(out, "m1", Hangup)
    for leg in ("", "m1"):
        driver.feed(Ended(Side.LOCAL), leg)
        driver.feed(CLOSED, leg)
    assert (driver.result()["ended_by"], driver.result()["reason"]) == ("us", "duration")
    assert driver.facts("transfer_ended")[0]["ended_by"] == "us"


def test_hung_up_by_the_one_who_asked() -> None:
    driver = Driver()
    driver.begin()
    driver.talk()
    out = driver.feed(HangupWanted())
    assert of_kind(out, Hangup)
    assert orders(out, "m1", Hangup)
    driver.feed(Ended(Side.LOCAL), "m1")
    driver.feed(CLOSED, "m1")
    driver.feed(Ended(Side.LOCAL))
    driver.feed(CLOSED)
    assert driver.result()["ended_by"] == "us"


def test_a_managers_trunk_that_says_nothing_to_our_cancel_is_not_waited_for_long() -> None:
    driver = Driver()
    driver.begin()
    driver.ring()
    driver.feed(Ended(Side.REMOTE))
    driver.feed(CLOSED)
    driver.feed(TimerFired("closing"), after=CLOSING_S)
    assert driver.call.phase is Phase.CLOSING
    assert orders(driver.feed(TimerFired("m1:leaving"), after=LEAVING_S - CLOSING_S), "m1", wire.Close)
    driver.feed(TimerFired("m1:closing"), after=CLOSING_S)
    assert driver.result()["manager"]["status"] == "cancelled"


@pytest.mark.parametrize("order", [("", "m1"), ("m1", "")])
def test_the_media_process_dies_in_a_talk(order: tuple[str, str]) -> None:
    driver = Driver()
    driver.begin()
    driver.talk()
    for leg in order:
        driver.feed(wire.Faulted("the media process died"), leg)
    assert of_kind(driver.out, Hangup)
    assert orders(driver.out, "m1", Hangup)
    driver.feed(Ended(Side.LOCAL), "m1")
    assert driver.result()["disposition"] == "internal_error"


def test_the_managers_slot_alone_faults() -> None:
    driver = Driver(script(on={"ended": "sorry"}))
    driver.begin()
    driver.talk()
    assert orders(driver.feed(wire.Faulted("port 0"), "m1"), "m1", Hangup)
    out = driver.feed(Ended(Side.LOCAL), "m1")
    assert of_kind(out, PlayPrompt)
    assert of_kind(out, ReleaseLeg)


def test_the_watchdog_ends_both_legs() -> None:
    driver = Driver()
    driver.begin()
    driver.talk()
    out = driver.feed(TimerFired("watchdog"), after=driver.call.upper_bound_s)
    assert orders(out, "m1", Hangup)
    assert orders(out, "m1", wire.Close)
    assert driver.result()["ended_by"] == "watchdog"
    assert driver.facts("transfer_ended")[0]["ended_by"] == "watchdog"


def test_a_call_that_breaks_leaves_no_leg_behind() -> None:
    driver = Driver()
    driver.begin()
    driver.ring()
    outputs = driver.call.fail(driver.at, "KeyError")
    assert orders(outputs, "m1", Hangup)
    assert of_kind(outputs, ReleaseLeg) == [ReleaseLeg("m1")]
    assert of_kind(outputs, Fact)[-1].data["disposition"] == "internal_error"


# --- at random ------------------------------------------------------------------------------------------

EVENTS: list[Input] = [
    LegOpened(20002, 8), LegRefused("none"), Trying(), Ringing(), EarlyMedia(SDP), Answered(SDP), Answered(b"x"),
    RemoteOffer(SDP), InfoDigit("1"), wire.Digit("2"), wire.Played(0, 100, "stopped"), wire.Played(1, 100, "ended"),
    wire.MediaStarted(), CLOSED, wire.Faulted("died"), Failed(486, "", Origin.REMOTE), Failed(487, "", Origin.LOCAL),
    Ended(Side.REMOTE), Ended(Side.LOCAL), Ended(Side.NETWORK),
]  # fmt: skip
LEGS = ("", "m1", "m2")
TIMERS = [
    "leaving", "closing", "watchdog", "script:duration",
    *[f"{leg}:{timer}" for leg in LEGS[1:] for timer in ("ring", "leaving", "closing")],
]  # fmt: skip
anything = st.one_of(
    st.tuples(st.sampled_from(EVENTS), st.sampled_from(LEGS)),
    st.tuples(st.sampled_from([HangupWanted(), *map(TimerFired, TIMERS)]), st.just("")),
)
scripts = st.sampled_from([
    script(), script("101", "102", on={"ended": "sales", "busy": "sorry", "failed": "ask"}),
    script("101", "102", on={"ended": "ask", "failed": "sales"}),
])  # fmt: skip


def over(driver: Driver) -> None:
    """After `ended` nothing is left and nothing comes."""
    driver.result()
    assert len(driver.facts("ended")) == 1
    told = driver.facts("transfer_failed") + driver.facts("transfer_ended")
    assert len(told) == len(driver.facts("transfer_started")) == sum(driver.names.values())
    assert set(driver.names.values()) <= {1}
    assert not any(driver.call.step(driver.at, event, leg) for event in EVENTS for leg in LEGS)


def same_again(driver: Driver) -> None:
    again = Call(driver.settings, driver.script)
    assert [output for at, event, leg in driver.fed for output in again.step(at, event, leg)] == driver.out


@settings(max_examples=400, deadline=None)
@given(scripts, st.lists(anything, max_size=50))
def test_any_order_of_inputs_ends_each_leg_once(chosen: Script, inputs: list[tuple[Input, str]]) -> None:
    driver = Driver(chosen)
    driver.begin()
    for event, leg in inputs:
        driver.feed(event, leg, after=0.3)
    driver.feed(TimerFired("watchdog"), after=1)
    same_again(driver)
    over(driver)


IDLE = (Ringing, RemoteOffer, InfoDigit)  # what may happen again and again, and leads nowhere


class World:
    """Both far ends, signalling and the media process, as they keep to their rules: one end a leg, then nothing."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.legs: dict[str, str] = {"": "up", "m1": "asked"}
        self.slots: dict[str, bool] = {"": True}
        self.seen = len(driver.out)

    def choices(self) -> list[tuple[Input, str]]:
        """What may happen now."""
        found: list[tuple[Input, str]] = []
        for leg, state in self.legs.items():
            match state:
                case "asked":
                    found += [(LegOpened(20002, 8), leg), (LegRefused("none"), leg)]
                case "placed":
                    found += [(Ringing(), leg), (Answered(SDP), leg), (Failed(486, "", Origin.REMOTE), leg)]
                case "up":
                    found += [(Ended(Side.REMOTE), leg), (RemoteOffer(SDP), leg), (InfoDigit("1"), leg)]
                case "cancelled":
                    found += [(Failed(487, "", Origin.REMOTE), leg), (Failed(486, "", Origin.REMOTE), leg)]
                case "hung up":
                    found += [(Ended(Side.LOCAL), leg)]
        found += [(CLOSED, leg) for leg, closing in self.slots.items() if not closing]
        found += [(TimerFired(name), "") for name in self.driver.timers if name != "watchdog"]
        return found

    def happen(self, event: Input, leg: str) -> None:
        match event:
            case LegOpened():
                self.slots[leg] = True
            case LegRefused() | Failed() | Ended():
                self.legs[leg] = "over"
            case Answered():
                self.legs[leg] = "up"
            case wire.Closed():
                del self.slots[leg]
        self.driver.feed(event, leg, after=0.4)
        while self.seen < len(self.driver.out):  # it may grow meanwhile
            self.seen += 1
            self._obey(self.driver.out[self.seen - 1])

    def _obey(self, output: Output) -> None:
        leg, order = (output.leg, output.order) if isinstance(output, OfLeg) else ("", output)
        match order:
            case OpenLeg(name):
                self.legs[name] = "asked"
            case ReleaseLeg(name):
                self.legs[name] = "over"
            case Place():
                self.legs[leg] = "placed"
            case Hangup():
                self.legs[leg] = {"placed": "cancelled", "up": "hung up"}.get(self.legs[leg], self.legs[leg])
            case wire.Close() if leg in self.slots:
                self.slots[leg] = False
            case PlayPrompt(play):
                self.driver.feed(wire.Played(play, 100, "ended"))


@settings(max_examples=300, deadline=None)
@given(scripts, st.data())
def test_a_true_world_comes_to_an_end_without_the_watchdog(chosen: Script, data: st.DataObject) -> None:
    driver = Driver(chosen)
    driver.begin()
    world = World(driver)
    for number in range(1000):
        if driver.call.phase is Phase.OVER:
            break
        choices = [one for one in world.choices() if number < 60 or not isinstance(one[0], IDLE)]
        assert choices, "the call waits for nothing"
        world.happen(*data.draw(st.sampled_from(choices)))
    assert driver.call.phase is Phase.OVER
    assert "up" not in world.legs.values(), "somebody is left on the line"
    same_again(driver)
    over(driver)
