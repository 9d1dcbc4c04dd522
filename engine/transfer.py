"""A transfer: managers are called in order until one answers; meanwhile the callee hears that it goes on. Pure.

    calling   --a manager answers-->        talking   both slots are bridged
              --nobody is left to call-->   over
    talking   --the manager's leg is over-->over

Only one manager's leg is there at a time: the next one begins when the one before has given everything back. The
callee hears `Tone.HOLD` until it rings at the manager's, then `Tone.RINGBACK`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from engine.disposition import Disposition, EndedBy
from engine.events import InfoDigit, LegEvent
from engine.manager_leg import ManagerLeg, Stage
from engine.manager_tally import ManagerTally
from engine.media import wire
from engine.orders import Join, LegOpened, LegRefused, OfLeg, PlayTone, Tone
from engine.outbox import Outbox
from engine.presses import Presses
from engine.settings import Settings
from ivr import model

FIRST_PRESS_MS: Final = 500  # after the answer: what answers has to begin to listen
COMMA_MS: Final = 2000  # as modems have it (ITU-T V.250, S8)

_OUTCOMES = {
    Disposition.BUSY: model.BUSY,
    Disposition.NO_ANSWER: model.NO_ANSWER,
    Disposition.REJECTED: model.REJECTED,
}


class Transfer:
    """Belongs to a call. `names` gives each leg its name."""

    def __init__(self, wanted: model.Transfer, settings: Settings, names: Iterator[str], out: Outbox) -> None:
        self._wanted = wanted
        self._settings = settings
        self._names = names
        self._out = out
        self._presses = Presses()  # of the manager
        self._tried = 0
        self._called_off = False
        self._bridged = False
        self._tone: Tone | None = None  # what the callee hears
        self._leg: ManagerLeg
        self._call_next()

    @property
    def over(self) -> bool:
        """Nothing of it is left."""
        return self._leg.stage is Stage.OVER

    @property
    def tally(self) -> ManagerTally:
        """Of the manager who answered, or was called last."""
        return self._leg.tally

    @property
    def outcome(self) -> str:
        """For the script, once it is over."""
        verdict = self.tally.verdict
        if self.tally.answered_at is not None:
            return model.ENDED
        return _OUTCOMES.get(verdict.disposition, model.FAILED) if verdict else model.FAILED

    @property
    def ended_by(self) -> EndedBy:
        """Whose doing the end of the call is, if it ends now that this is over."""
        verdict = self.tally.verdict
        return verdict.ended_by if verdict and self.tally.answered_at is not None else EndedBy.US

    def step(self, leg: str, event: LegEvent | wire.SlotEvent | LegOpened | LegRefused) -> None:
        """An event of the manager's leg of that name."""
        if leg != self._leg.name:
            return  # a leg that is over
        if isinstance(event, InfoDigit):
            if self._bridged and self._presses.report(self._out.at, event.digit, "info"):
                self._out.put(wire.SendDigits(event.digit))
            return
        if isinstance(event, wire.Digit):  # the media process passes it on
            self._presses.report(self._out.at, event.digit, "rfc4733")
            return
        self._leg.step(event)
        self._go_on()

    def timer(self, name: str) -> None:
        """A timer of that name fired, ours or not."""
        self._leg.timer(name)
        self._go_on()

    def pass_on(self, digit: str) -> None:
        """The callee pressed a key, and told it by SIP INFO only."""
        if self._bridged:
            self._out.put(OfLeg(self._leg.name, wire.SendDigits(digit)))

    def hangup(self, by: EndedBy) -> None:
        """Call it off, or end the talk; idempotent. It is over when its leg is."""
        self._called_off = True
        self._leg.hangup(by)

    def abandon(self, by: EndedBy) -> None:
        """Be over now."""
        self._called_off = True
        self._leg.abandon(by)

    def _call_next(self) -> None:
        self._leg = ManagerLeg(
            next(self._names),
            self._wanted.to[self._tried],
            self._settings.outgoing if self._wanted.caller_id is model.CallerId.OUTGOING else self._settings.to,
            self._wanted.ring_ms / 1000,
            self._settings,
            self._out,
        )
        self._tried += 1
        self._leg.start(self._tried)
        self._hear(Tone.HOLD)

    def _go_on(self) -> None:
        """After anything that may have moved the leg."""
        leg = self._leg
        if leg.stage is Stage.OVER:
            answered = leg.tally.answered_at is not None
            if not (answered or self._called_off) and self._tried < len(self._wanted.to):
                self._call_next()
            elif not self._called_off:
                self._hear(None)
        elif leg.stage is Stage.TALKING and not self._bridged:
            self._bridged = True
            self._hear(None)
            self._out.put(Join(leg.name))
            self._press()
        elif leg.stage is Stage.CALLING and leg.ringing:
            self._hear(Tone.RINGBACK)
        if leg.stage is not Stage.TALKING:
            self._bridged = False

    def _press(self) -> None:
        """The keys for a menu behind the number; the media process presses them after one another."""
        wait_ms = FIRST_PRESS_MS if self._wanted.digits else 0
        for keys in re.findall(r",|[^,]+", self._wanted.digits):
            if keys == ",":
                wait_ms += COMMA_MS
                continue
            pause = wire.Play(0, (-wait_ms,))
            self._out.put(OfLeg(self._leg.name, pause), OfLeg(self._leg.name, wire.SendDigits(keys)))
            wait_ms = 0

    def _hear(self, tone: Tone | None) -> None:
        if tone is self._tone:
            return
        if self._tone is not None:
            self._out.put(wire.Stop())
        if tone is not None:
            self._out.put(PlayTone(tone))
        self._tone = tone
