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
from engine.journal import Journal
from engine.media import wire
from engine.media.plane import MediaSlot
from engine.orders import CancelTimer, Fact, HangupWanted, Input, Output, SetTimer, Start, TimerFired
from engine.sip.signalling import Signalling
from ivr.events import PlayPrompt
from ivr.model import Pause, PromptItem

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
        clips: Mapping[PromptItem, int],
        journal: Journal | None,
        over: Callable[[OngoingCall], None],
    ) -> None:
        self.id = call.settings.call
        self._call = call
        self._clock = clock
        self._signalling = signalling
        self._slot = slot
        self._clips = clips
        self._journal = journal
        self._over = over
        self._timers: dict[str, Timer] = {}
        self._inbox: deque[tuple[float, Input]] = deque()
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

    def take(self, event: Input, at: float | None = None) -> None:
        """An input; its orders may bring further ones at once, which then wait their turn."""
        self._inbox.append((self._clock.now() if at is None else at, event))
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._inbox:
                self._step(*self._inbox.popleft())
        finally:
            self._stepping = False

    def on_leg(self, at: float, event: LegEvent) -> None:
        """From signalling."""
        self.take(event, at)

    def on_media(self, at: float, event: wire.SlotEvent) -> None:
        """From the media process."""
        self.take(event, at)

    def _step(self, at: float, event: Input) -> None:
        if self._call.phase is Phase.OVER or (self._call.phase is Phase.IDLE and not isinstance(event, Start)):
            return
        if self._journal:
            self._journal.took(at, event)
        try:
            self._carry_out(self._call.step(at, event))
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
                case wire.Remote() | wire.Stop() | wire.Listen() | wire.Record() | wire.Close():
                    self._slot.send(output)
                case SetTimer(name, at):
                    self._cancel(name)
                    self._timers[name] = self._clock.call_at(at, partial(self._fired, name))
                case CancelTimer(name):
                    self._cancel(name)
                case Fact():
                    self._tell(output)
                case _:
                    assert_never(output)

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
            if self._journal:
                self._journal.close()
            self._over(self)
        self._told.set()
        self._told = asyncio.Event()
