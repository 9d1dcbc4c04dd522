"""A call that is going on: the thin shell around the machine `engine.call.Call`.

It carries the machine's orders to signalling, media and the clock, keeps its journal, and tells its facts. Everything
here runs in the engine's loop and never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any, assert_never

import structlog

from engine.call import Call, Phase
from engine.clock import Clock, Timer
from engine.events import AnswerOffer, Hangup, LegEvent, Place
from engine.further_leg import FurtherLeg, Heard, Said
from engine.journal import Journal
from engine.media import wire
from engine.media.plane import MediaSlot
from engine.orders import (
    CancelTimer,
    Fact,
    HangupWanted,
    Input,
    Join,
    LegOrder,
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
from engine.sip.signalling import Signalling
from ivr.events import PlayPrompt
from ivr.model import Pause, PromptItem

TONE_PLAY = 0  # the number of what is played beside the script, whose prompts count from 1

_log = structlog.get_logger("zvonar.call")


class OngoingCall:
    """A call from its dialing to its result. Belongs to the engine's loop; made by `Engine.dial` only."""

    def __init__(
        self,
        call: Call,
        *,
        clock: Clock,
        signalling: Signalling,
        slot: MediaSlot,
        clips: Mapping[PromptItem | Tone, int],
        journal: Journal | None,
        open_leg: Callable[[Heard, Said], FurtherLeg],
        over: Callable[[OngoingCall], None],
    ) -> None:
        self.id = call.settings.call
        self._call = call
        self._clock = clock
        self._signalling = signalling
        self._slot = slot
        self._clips = clips
        self._journal = journal
        self._open_leg = open_leg
        self._legs: dict[str, FurtherLeg] = {}
        self._over = over
        self._timers: dict[str, Timer] = {}
        self._inbox: deque[tuple[float, Input, str]] = deque()
        self._stepping = False
        self._facts: list[dict[str, Any]] = []
        self._told = asyncio.Event()  # replaced by a new one with every fact
        self._log = _log.bind(call=self.id)

    # --- for the one who asked --------------------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """The facts, past ones first; ends after the one of type `ended`. Any number may iterate."""
        told = 0
        while True:
            while told < len(self._facts):
                yield self._facts[told]
                told += 1
            if self.ended:
                return
            await self._told.wait()

    async def result(self) -> dict[str, Any]:
        """The last fact, as soon as there is one."""
        while not self.ended:
            await self._told.wait()
        return self._facts[-1]

    def hangup(self) -> None:
        """End the call properly, whatever it is doing; its result still comes."""
        self.take(HangupWanted())

    @property
    def ended(self) -> bool:
        """The result is there."""
        return bool(self._facts) and self._facts[-1]["type"] == "ended"

    @property
    def started_at(self) -> float:
        """When it was dialled, in Unix seconds."""
        return float(self._facts[0]["at"])

    @property
    def timers(self) -> int:
        """How many timers are set."""
        return len(self._timers)

    @property
    def legs_to_come(self) -> int:
        """How many further legs it may want, beside those that it has: ports to be kept for it."""
        return int(self._call.connects and not self._legs)

    @property
    def tasks(self) -> int:
        """How many legs wait for a place on their trunk."""
        return sum(leg.waits for leg in self._legs.values())

    # --- for the engine ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Dial now."""
        self.take(Start())

    def abandon(self) -> None:
        """Give everything back without having dialled; no fact comes."""
        self._slot.send(wire.Close())
        if self._journal:
            self._journal.close()
            self._journal.path.unlink(missing_ok=True)

    def take(self, event: Input, at: float | None = None, leg: str = "") -> None:
        """An input; its orders may bring further ones at once, which then wait their turn."""
        self._inbox.append((self._clock.now() if at is None else at, event, leg))
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._inbox:
                self._step(*self._inbox.popleft())
        finally:
            self._stepping = False

    def on_leg(self, at: float, event: LegEvent, leg: str = "") -> None:
        """From signalling."""
        self.take(event, at, leg)

    def on_media(self, at: float, event: wire.SlotEvent, leg: str = "") -> None:
        """From the media process."""
        self.take(event, at, leg)

    def _step(self, at: float, event: Input, leg: str) -> None:
        if self._call.phase is Phase.OVER or (self._call.phase is Phase.IDLE and not isinstance(event, Start)):
            return
        if self._journal:
            self._journal.took(at, event, leg)
        try:
            self._carry_out(self._call.step(at, event, leg))
        except Exception as error:
            self._log.exception("call_broke", event=type(event).__name__)
            reason = f"{type(error).__name__} at {type(event).__name__}"
            if self._journal:
                self._journal.failed(at, reason)
            self._carry_out(self._call.fail(at, reason))

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Place():
                    self._signalling.place(self.id, output)
                case Hangup(cause):
                    self._signalling.hangup(self.id, cause)
                case AnswerOffer(answer):
                    self._signalling.answer_offer(self.id, answer)
                case PlayPrompt(play, items, interrupt):
                    self._slot.send(wire.Play(play, tuple(map(self._item, items)), interrupt.value))
                case PlayTone(tone):
                    self._slot.send(wire.Play(TONE_PLAY, (self._clips[tone],), repeat=True))
                case wire.Remote() | wire.Stop() | wire.Listen() | wire.Record() | wire.SendDigits() | wire.Close():
                    self._slot.send(output)
                case OpenLeg(leg):
                    self._legs[leg] = self._open_leg(partial(self._heard, leg), partial(self.take, leg=leg))
                case OfLeg(leg, order):
                    self._order(leg, order)
                case Join(leg):
                    self._join(self._slot_of(leg))
                case ReleaseLeg(leg):
                    self._release(leg)
                case SetTimer(name, at):
                    self._cancel(name)
                    self._timers[name] = self._clock.call_at(at, partial(self._fired, name))
                case CancelTimer(name):
                    self._cancel(name)
                case Fact():
                    self._tell(output)
                case _:
                    assert_never(output)

    def _order(self, leg: str, order: LegOrder) -> None:
        name, slot = f"{self.id}:{leg}", self._slot_of(leg)
        match order:
            case Place():
                self._signalling.place(name, order)
            case Hangup(cause):
                self._signalling.hangup(name, cause)
            case AnswerOffer(answer):
                self._signalling.answer_offer(name, answer)
            case wire.Remote() | wire.Play() | wire.SendDigits() | wire.Close():
                if slot is not None:
                    slot.send(order)
            case _:
                assert_never(order)

    def _slot_of(self, leg: str) -> MediaSlot | None:
        further = self._legs.get(leg)
        return None if further is None else further.slot

    def _release(self, leg: str) -> None:
        further = self._legs.pop(leg, None)
        if further is not None:
            further.release()

    def _join(self, other: MediaSlot | None) -> None:
        if other is not None:
            self._slot.send(wire.Bridge(other.row, other.generation))
            other.send(wire.Bridge(self._slot.row, self._slot.generation))

    def _heard(self, leg: str, at: float, event: wire.SlotEvent) -> None:
        self.on_media(at, event, leg)

    def _item(self, item: PromptItem) -> int:
        return -item.ms if isinstance(item, Pause) else self._clips[item]

    def _fired(self, name: str) -> None:
        self._timers.pop(name, None)
        self.take(TimerFired(name))

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer:
            timer.cancel()

    def _tell(self, fact: Fact) -> None:
        if self._journal:
            self._journal.told(fact)
        told = fact.as_dict(self.id)
        self._facts.append(told)
        if fact.type == "ended":
            for name in list(self._timers):
                self._cancel(name)
            for leg in list(self._legs):
                self._release(leg)
            if self._journal:
                self._journal.close()
            self._over(self)
        self._told.set()
        self._told = asyncio.Event()
