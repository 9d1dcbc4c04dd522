"""Two user agents back to back on a simulated clock, over a wire that may lose, repeat and delay."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import pytest

from engine.clock import SimulatedClock, Timer
from engine.events import Ended, Failed, SignallingEvent
from engine.sip import sdp
from engine.sip.agent import Agent, Arm, Crash, Disarm, Effect, Say, TimerKey
from engine.sip.dialog import Station
from engine.sip.leg_client import Line
from engine.sip.message import Address, Unreadable
from engine.sip.transaction import Transmit

CALLER, CALLEE = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
OFFER = sdp.offer("192.0.2.1", 4000, ("pcma", "pcmu"), session=1)
ANSWER = sdp.answer(OFFER, "192.0.2.2", 5000, ("pcma",), session=2)[0]


class End:
    """One agent on the wire; what a driver does, without a socket."""

    def __init__(self, wire: Wire, address: Address, *, accepts: bool = False) -> None:
        numbers = itertools.count()
        self.wire = wire
        self.address = address
        self.station = Station(*address, lambda: f"{address[0][-1]}x{next(numbers)}")
        self.agent = Agent(lambda _: self.station, self.station.token, accepts=accepts)
        self.said: list[tuple[str, float, SignallingEvent]] = []
        self.sent: list[tuple[bytes, Address]] = []
        self.on_event: Callable[[str, SignallingEvent], None] = lambda leg, event: None
        self.timers: dict[TimerKey, Timer] = {}

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Transmit):
                self.sent.append((effect.data, effect.to))
                self.wire.carry(effect.data, self.address, effect.to)
            elif isinstance(effect, Arm):
                if effect.key in self.timers:
                    self.timers.pop(effect.key).cancel()
                self.timers[effect.key] = self.wire.clock.call_at(effect.at, partial(self.fire, effect.key))
            elif isinstance(effect, Disarm):
                if effect.key in self.timers:
                    self.timers.pop(effect.key).cancel()
            elif isinstance(effect, Say):
                self.said.append((effect.leg, self.wire.clock.now(), effect.event))
                self.on_event(effect.leg, effect.event)
            else:
                assert isinstance(effect, Crash)
                raise effect.error

    def fire(self, key: TimerKey) -> None:
        self.timers.pop(key)
        self.do(self.agent.fire(key, self.wire.clock.now()))

    def receive(self, data: bytes, source: Address) -> None:
        self.do(self.agent.receive(data, source, self.wire.clock.now()))

    def place(self, leg: str = "a", to: str = "100", server: Address = CALLEE, **line: object) -> None:
        route = Line("t", server, server[0], **line)  # type: ignore[arg-type]
        self.do(self.agent.place(leg, route, self.station, to, "79990001122", OFFER, self.wire.clock.now()))

    def hangup(self, leg: str = "a", cause: int = 16) -> None:
        self.do(self.agent.hangup(leg, cause, self.wire.clock.now()))

    def ring(self, leg: str, code: int = 180, sdp: bytes = b"") -> None:
        self.do(self.agent.ring(leg, code, sdp, self.wire.clock.now()))

    def answer(self, leg: str, sdp: bytes = ANSWER) -> None:
        self.do(self.agent.answer(leg, sdp, self.wire.clock.now()))

    def reject(self, leg: str, code: int) -> None:
        self.do(self.agent.reject(leg, code, "", self.wire.clock.now()))

    def answer_offer(self, leg: str, sdp: bytes) -> None:
        self.do(self.agent.answer_offer(leg, sdp, self.wire.clock.now()))

    def events(self, leg: str = "a") -> list[SignallingEvent]:
        return [event for name, _, event in self.said if name == leg]

    def ends(self, leg: str = "a") -> list[SignallingEvent]:
        return [event for event in self.events(leg) if isinstance(event, Failed | Ended)]

    def starts(self) -> list[str]:
        """The first lines of what was sent."""
        return [data.partition(b"\r\n")[0].decode() for data, _ in self.sent]


class Wire:
    """Delivers after 10 ms, unless `fate` says other delays (none: lost; two: repeated)."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.ends: dict[Address, End] = {}
        self.fate: Callable[[bytes], list[float]] = lambda data: [0.01]

    def end(self, address: Address, *, accepts: bool = False) -> End:
        self.ends[address] = End(self, address, accepts=accepts)
        return self.ends[address]

    def carry(self, data: bytes, source: Address, to: Address) -> None:
        for delay in self.fate(data):
            self.clock.call_at(self.clock.now() + delay, partial(self._arrive, data, source, to))

    def _arrive(self, data: bytes, source: Address, to: Address) -> None:
        if to in self.ends:
            self.ends[to].receive(data, source)


class Peer:
    """A peer made of hand-written messages: it answers what the caller sent last."""

    def __init__(self, wire: Wire, caller: End) -> None:
        self.wire = wire
        self.caller = caller

    def request(self, method: str = "INVITE") -> bytes:
        """The last request of that method that the caller sent."""
        return next(data for data, _ in reversed(self.caller.sent) if data.startswith(method.encode() + b" "))

    def header(self, name: str, method: str = "INVITE") -> str:
        for line in self.request(method).decode().split("\r\n"):
            if line.startswith(name + ": "):
                return line.partition(": ")[2]
        return ""

    def respond(self, status: str, *headers: str, tag: str = "p", method: str = "INVITE", body: bytes = b"") -> None:
        to = self.header("To", method)
        lines = [
            f"SIP/2.0 {status}",
            f"Via: {self.header('Via', method)}",
            f"From: {self.header('From', method)}",
            f"To: {to}" + (f";tag={tag}" if tag and ";tag=" not in to else ""),
            f"Call-ID: {self.header('Call-ID', method)}",
            f"CSeq: {self.header('CSeq', method)}",
            *headers,
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        if not any(header.startswith("Contact") for header in headers):
            lines.append("Contact: <sip:peer@192.0.2.2:5060>")
        lines.append(f"Content-Length: {len(body)}")
        try:
            self.caller.receive("\r\n".join(lines).encode() + b"\r\n\r\n" + body, CALLEE)
        except Unreadable as error:
            raise AssertionError(lines) from error

    def ask(
        self, method: str, *headers: str, cseq: int = 1, tag: str = "p", body: bytes = b"", branch: str = ""
    ) -> str:
        """A request in the dialog; returns the first line of the answer to it, "" if none came at once."""
        before = len(self.caller.sent)
        lines = [
            f"{method} sip:us@192.0.2.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{branch or method + str(cseq)}",
            f"From: {self.header('To')};tag={tag}",
            f"To: {self.header('From')}",
            f"Call-ID: {self.header('Call-ID')}",
            f"CSeq: {cseq} {method}",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        self.caller.receive("\r\n".join(lines).encode() + b"\r\n\r\n" + body, CALLEE)
        return self.caller.starts()[-1] if len(self.caller.sent) > before else ""


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def caller(wire: Wire) -> End:
    return wire.end(CALLER)


@pytest.fixture
def callee(wire: Wire) -> End:
    return wire.end(CALLEE, accepts=True)


@pytest.fixture
def peer(wire: Wire, caller: End) -> Peer:
    return Peer(wire, caller)


@pytest.fixture
def make_wire() -> Callable[[], tuple[Wire, End, End]]:
    """For hypothesis: a fresh wire with both ends for each example."""

    def make() -> tuple[Wire, End, End]:
        wire = Wire()
        return wire, wire.end(CALLER), wire.end(CALLEE, accepts=True)

    return make
