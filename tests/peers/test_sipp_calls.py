"""Calls to SIPp, and from it: whatever the peer does, the leg says it once and nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sipp import Sipp, sipp

from engine.clock import SystemClock
from engine.config import SipConfig, TrunkConfig
from engine.events import (
    Answered,
    EarlyMedia,
    Ended,
    Failed,
    Incoming,
    InfoDigit,
    Origin,
    Place,
    RemoteOffer,
    Ringing,
    Side,
    SignallingEvent,
    TrunkChanged,
    Trying,
)
from engine.sip import sdp
from engine.sip.signalling import Signalling

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

OFFER = sdp.offer("127.0.0.1", 20000, ("pcma", "pcmu"), session=1)
PATIENCE_S = 8.0


class Phone:
    """A Signalling that notes what it hears and can wait for it."""

    def __init__(self, server: str | None = None, *, accepts: bool = False, **trunk: object) -> None:
        trunks = [TrunkConfig.model_validate({"name": "t", "server": server, **trunk})] if server else []
        self.signalling = Signalling(SipConfig(), trunks, SystemClock(), self._hear, accepts=accepts)
        self.heard: list[tuple[str, SignallingEvent]] = []
        self.react: Callable[[str, SignallingEvent], None] = lambda leg, event: None
        self._news = asyncio.Event()

    def _hear(self, leg: str, at: float, event: SignallingEvent) -> None:
        self.heard.append((leg, event))
        self.react(leg, event)
        self._news.set()

    def place(self, leg: str = "a", to: str = "100") -> None:
        self.signalling.place(leg, Place("t", to, "79990001122", OFFER))

    def events(self, leg: str = "a") -> list[SignallingEvent]:
        return [event for name, event in self.heard if name == leg]

    async def until(self, kind: type, leg: str = "a") -> SignallingEvent:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events(leg):
                    if isinstance(event, kind):
                        return event
                self._news.clear()
                await self._news.wait()

    async def settled(self) -> None:
        """Every leg ended once, as its last event, and within a moment nothing is left."""
        async with asyncio.timeout(PATIENCE_S):
            while self.signalling.census() != {"dialogs": 0, "timers": 0}:
                await asyncio.sleep(0.01)
        for leg in {name for name, _ in self.heard if name}:
            ends = [event for event in self.events(leg) if isinstance(event, Failed | Ended)]
            assert len(ends) == 1, (leg, self.events(leg))
            assert self.events(leg)[-1] is ends[0]


@asynccontextmanager
async def phone(server: str | None = None, *, accepts: bool = False, **trunk: object) -> AsyncIterator[Phone]:
    one = Phone(server, accepts=accepts, **trunk)
    await one.signalling.start()
    try:
        yield one
        await one.settled()
    finally:
        await one.signalling.stop()


@asynccontextmanager
async def call_to(scenario: str, calls: int = 1, **trunk: object) -> AsyncIterator[tuple[Sipp, Phone]]:
    async with sipp(scenario, calls=calls) as peer, phone(peer.server, **trunk) as caller:
        yield peer, caller


async def test_final_codes() -> None:
    async def refused(code: int) -> None:
        async with sipp("final", keys={"code": str(code)}) as peer, phone(peer.server) as caller:
            caller.place()
            failed = await caller.until(Failed)
            assert failed == Failed(code, "Whatever", Origin.REMOTE, 21, 5, failed.contacts)
            assert caller.events() == [Trying(), failed]

    async with asyncio.TaskGroup() as group:
        for code in (300, 302, 403, 404, 480, 486, 487, 499, 500, 503, 600, 603, 607, 699):
            group.create_task(refused(code))


async def test_answered_and_hung_up() -> None:
    async with call_to("answers") as (_, caller):
        caller.place()
        answer = await caller.until(Answered)
        assert sdp.read(answer.sdp, ("pcma",)).port == 6000
        caller.signalling.hangup("a")
        assert await caller.until(Ended) == Ended(Side.LOCAL)
        assert [type(event) for event in caller.events()] == [Trying, Ringing, Answered, Ended]


async def test_early_media_then_the_peer_hangs_up() -> None:
    async with call_to("hangs_up") as (_, caller):
        caller.place()
        assert await caller.until(Ended) == Ended(Side.REMOTE, q850=16)
        assert [type(event) for event in caller.events()] == [Trying, EarlyMedia, Answered, Ended]


async def test_cancelled() -> None:
    async with call_to("cancelled") as (_, caller):
        caller.place()
        await caller.until(Ringing)
        caller.signalling.hangup("a", 19)
        caller.signalling.hangup("a", 19)
        failed = await caller.until(Failed)
        assert (failed.code, failed.origin) == (487, Origin.LOCAL)


async def test_a_200_wins_over_cancel() -> None:
    async with call_to("answers_over_cancel") as (_, caller):
        caller.place()
        await caller.until(Ringing)
        caller.signalling.hangup("a")
        failed = await caller.until(Failed)
        assert (failed.code, failed.origin) == (None, Origin.LOCAL)
        assert not any(isinstance(event, Answered) for event in caller.events())


async def test_two_forks() -> None:
    async with call_to("forks") as (_, caller):
        caller.place()
        assert await caller.until(Ended) == Ended(Side.REMOTE)
        assert [type(event) for event in caller.events()] == [Trying, Ringing, EarlyMedia, Answered, Ended]


@pytest.mark.parametrize("scenario", ["digest_401", "digest_407"])
async def test_digest(scenario: str) -> None:
    async with call_to(scenario, username="u", password="p") as (_, caller):
        caller.place()
        await caller.until(Answered)
        caller.signalling.hangup("a")


@pytest.mark.parametrize("scenario", ["odd_headers", "routes", "slow"])
async def test_is_understood(scenario: str) -> None:
    async with call_to(scenario) as (_, caller):
        caller.place()
        await caller.until(Answered)
        if scenario == "slow":  # its second 200 comes before we hang up
            await asyncio.sleep(0.4)
        caller.signalling.hangup("a")
        assert await caller.until(Ended) == Ended(Side.LOCAL)


async def test_what_the_peer_asks_in_the_dialog() -> None:
    async with call_to("asks") as (_, caller):

        def react(leg: str, event: SignallingEvent) -> None:
            if isinstance(event, RemoteOffer):
                answer, media = sdp.answer(event.sdp, "127.0.0.1", 20000, ("pcma",), session=1, version=1)
                held.append(media.send)
                caller.signalling.answer_offer(leg, answer)

        held: list[bool] = []
        caller.react = react
        caller.place()
        assert await caller.until(Ended) == Ended(Side.REMOTE)
        assert held == [False, True]
        assert InfoDigit("5") in caller.events()


async def test_registers_and_unregisters() -> None:
    async with sipp("registrar") as peer:
        trunk = {"register": True, "username": "u", "password": "p"}
        async with phone(peer.server, **trunk) as caller:
            assert await caller.until(TrunkChanged, "") == TrunkChanged("t", True)
            assert caller.signalling.census() == {"dialogs": 0, "timers": 0}


async def test_a_registrar_that_refuses_the_password() -> None:
    async with sipp("registrar_refuses") as peer:
        trunk = {"register": True, "username": "u", "password": "sesame"}
        async with phone(peer.server, **trunk) as caller:
            changed = await caller.until(TrunkChanged, "")
            assert changed == TrunkChanged("t", False, "refused the username or password (403 Forbidden)")


async def test_sipp_calls_us() -> None:
    async with phone(accepts=True) as callee:

        def react(leg: str, event: SignallingEvent) -> None:
            if isinstance(event, Incoming):
                callee.signalling.ring(leg)
                if event.to == "100":
                    answer, _ = sdp.answer(event.sdp, "127.0.0.1", 20000, ("pcma",), session=1)
                    callee.signalling.answer(leg, answer)

        callee.react = react
        port = callee.signalling.address[1]
        async with sipp("calls", target=port), sipp("calls_and_cancels", target=port):
            pass
        assert {type(event) for _, event in callee.heard} == {Incoming, Answered, Ended, Failed}


async def test_a_call_from_a_trunk_is_refused() -> None:
    async with phone() as nobody, sipp("is_refused", target=nobody.signalling.address[1]):
        pass
    assert not nobody.heard


async def test_what_is_asked_outside_any_dialog() -> None:
    async with phone() as nobody, sipp("asks_outside", target=nobody.signalling.address[1]):
        pass
