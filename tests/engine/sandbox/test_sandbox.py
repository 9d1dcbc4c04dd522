"""Every subscriber of the table, called over real SIP and RTP on loopback, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.clips.cache import ClipCache
from engine.clock import SystemClock
from engine.config import SANDBOX, SANDBOX_NUMBERS, MediaConfig, SipConfig
from engine.events import Answered, EarlyMedia, Ended, Failed, Place, Ringing, Side, SignallingEvent
from engine.media.plane import MediaPlane, MediaSlot
from engine.media.wire import (
    Close,
    Closed,
    Digit,
    Faulted,
    Listen,
    MediaStarted,
    Remote,
    SlotEvent,
    SpeechEnded,
    SpeechStarted,
)
from engine.sandbox.sandbox import Sandbox
from engine.sandbox.subscribers import SUBSCRIBERS
from engine.sip import sdp
from engine.sip.signalling import Signalling

CODECS = ("pcma", "pcmu")
PORTS = "21000-21199"


@dataclass
class Caller:
    """One call from outside: what it was told, each with its time."""

    slot: MediaSlot
    events: list[tuple[float, SignallingEvent | SlotEvent]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def at(self, kind: type[object]) -> float:
        return next(at for at, event in self.events if isinstance(event, kind))

    def after_answer(self, kind: type[object]) -> list[float]:
        answered = self.at(Answered)
        return [at - answered for at, event in self.events if isinstance(event, kind)]

    @property
    def digits(self) -> str:
        return "".join(event.digit for _, event in self.events if isinstance(event, Digit))

    @property
    def last(self) -> SignallingEvent:
        return next(event for _, event in reversed(self.events) if isinstance(event, Failed | Ended))


class Exchange:
    """The caller's side: a signalling of its own, and slots of the same media process."""

    def __init__(self, plane: MediaPlane, clock: SystemClock, sandbox: Sandbox) -> None:
        self.plane = plane
        self.clock = clock
        self.sandbox = sandbox
        self.signalling = Signalling(SipConfig(), (sandbox.config(),), clock, self._said)
        self.callers: dict[str, Caller] = {}

    def call(self, number: str) -> Caller:
        slot = self.plane.open(lambda at, event: self._heard(number, at, event))
        self.callers[number] = caller = Caller(slot)
        offer = sdp.offer("127.0.0.1", slot.port, CODECS, session=len(self.callers))
        self.signalling.place(number, Place(SANDBOX, number, SANDBOX_NUMBERS[0], offer))
        return caller

    def _said(self, leg: str, at: float, event: SignallingEvent) -> None:
        caller = self.callers[leg]
        caller.events.append((at, event))
        if isinstance(event, EarlyMedia | Answered):
            media = sdp.read(event.sdp, CODECS)
            caller.slot.send(Remote(media.host, media.port, media.payload_type, media.dtmf_type, media.dtmf_rate))
        if isinstance(event, Answered):
            caller.slot.send(Listen(("voice",)))
        if isinstance(event, Failed | Ended):
            caller.slot.send(Close())
        caller.changed.set()

    def _heard(self, number: str, at: float, event: SlotEvent) -> None:
        caller = self.callers[number]
        caller.events.append((at, event))
        caller.changed.set()
        if isinstance(event, Closed | Faulted):
            caller.over.set()

    async def until(self, caller: Caller, kind: type[object], count: int = 1, within_s: float = 15.0) -> None:
        """Wait for that event of that call."""
        async with asyncio.timeout(within_s):
            while sum(isinstance(event, kind) for _, event in caller.events) < count:
                caller.changed.clear()
                await caller.changed.wait()

    async def end(self, *callers: Caller) -> None:
        """Hang up what is not over yet, and see that nothing is left."""
        for number, caller in self.callers.items():
            if caller in callers:
                self.signalling.hangup(number)
        async with asyncio.timeout(5):
            for caller in callers:
                await caller.over.wait()
            # A census has no event to wait for.
            while any((*self.sandbox.census().values(), *self.plane.census().values())):
                await asyncio.sleep(0.02)


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    clock = SystemClock()
    plane = MediaPlane(MediaConfig(ports=PORTS), "127.0.0.1", clock, calls=40)
    await plane.start()
    sandbox = Sandbox(plane, ClipCache(tmp_path), clock)
    await sandbox.start()
    made = Exchange(plane, clock, sandbox)
    await made.signalling.start()
    yield made
    await made.signalling.stop()
    await sandbox.stop()
    await plane.stop()


def near(expected: float) -> object:
    return pytest.approx(expected, abs=0.3)


@pytest.mark.anyio
async def test_every_subscriber_does_what_the_table_says(exchange: Exchange) -> None:
    callers = {number: exchange.call(f"79990000{number}") for number in SUBSCRIBERS}
    placed = exchange.clock.now()
    started = {"001": 1, "002": 2, "008": 1, "009": 1, "012": 1, "015": 2}
    await asyncio.gather(
        *(exchange.until(callers[number], Failed) for number in ("003", "005", "010", "011", "016")),
        *(exchange.until(callers[number], SpeechStarted, count) for number, count in started.items()),
        *(exchange.until(callers[number], Digit, count) for number, count in {"001": 1, "009": 2, "012": 1}.items()),
        exchange.until(callers["006"], Answered),
        exchange.until(callers["007"], Ended),
    )

    codes = {number: callers[number].last for number in ("003", "005", "010", "011", "016")}
    assert {number: event.code for number, event in codes.items() if isinstance(event, Failed)} == {
        "003": 486, "005": 603, "010": 404, "011": 503, "016": 486,
    }  # fmt: skip
    assert callers["005"].at(Failed) - placed == near(3.0)

    for number in ("001", "002", "006", "007", "008", "009"):
        assert callers[number].at(Answered) - callers[number].at(Ringing) == near(0.7)
    assert callers["004"].at(Ringing)
    assert not any(isinstance(event, Answered) for _, event in callers["004"].events)

    assert callers["001"].after_answer(SpeechStarted)[0] == near(0.35)
    assert callers["001"].after_answer(SpeechEnded)[0] == near(1.3)
    assert (callers["001"].digits, callers["001"].after_answer(Digit)[0]) == ("1", near(3.0))
    greeting, beep = callers["002"].after_answer(SpeechStarted)[:2]
    assert (greeting, beep) == (near(0.55), near(4.95))
    assert not callers["006"].after_answer(SpeechStarted)
    assert callers["006"].after_answer(MediaStarted)
    ended = callers["007"].last
    assert isinstance(ended, Ended)
    assert (ended.by, callers["007"].after_answer(Ended)[0]) == (Side.REMOTE, near(1.5))
    assert callers["008"].after_answer(SpeechStarted)[0] == near(1.25)
    assert callers["009"].digits == "91"
    assert callers["009"].after_answer(Digit) == [near(3.0), near(6.0)]
    manager = callers["015"]
    assert manager.at(Answered) - manager.at(Ringing) == near(1.5)
    assert manager.after_answer(SpeechStarted) == [near(0.35), near(4.05)]
    early = callers["012"]
    assert early.at(EarlyMedia) < early.at(MediaStarted) < early.at(Answered)
    assert early.at(Answered) - early.at(EarlyMedia) == near(2.0)
    assert early.digits == "1"

    await exchange.end(*callers.values())
    assert isinstance(callers["004"].last, Failed)
    assert callers["004"].last.code == 487


@pytest.mark.anyio
async def test_any_other_number_is_answered_and_a_call_may_end_at_any_moment(exchange: Exchange) -> None:
    answered, ringing = exchange.call("74950000777"), exchange.call("555")
    await exchange.until(ringing, Ringing)
    await exchange.until(answered, Answered)
    await exchange.end(answered, ringing)


@pytest.mark.anyio
async def test_stopping_leaves_nothing(exchange: Exchange) -> None:
    caller = exchange.call("79990000006")
    await exchange.until(caller, Answered)
    await exchange.sandbox.stop()
    await exchange.until(caller, Ended)
    await exchange.end(caller)


@pytest.mark.anyio
async def test_more_calls_than_ports_are_refused_and_the_rest_go_on(exchange: Exchange) -> None:
    callers = [exchange.call(f"7999{number:04}006") for number in range(22)]  # 40 slots: 22 callers, 18 answer
    await asyncio.gather(*(exchange.until(caller, Answered) for caller in callers[:18]))
    await asyncio.gather(*(exchange.until(caller, Failed) for caller in callers[18:]))
    assert {caller.last.code for caller in callers[18:] if isinstance(caller.last, Failed)} == {503}
    await exchange.end(*callers)
