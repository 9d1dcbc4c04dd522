"""The leg to a manager: a deterministic machine, owned by the transfer of a call (engine/transfer.py).

    waiting   --LegOpened-->       calling    a place on the trunk and a port are there: the INVITE goes out
              --LegRefused, ring-->over
    calling   --Answered-->        talking
              --ring-->            leaving    CANCEL went out; the leg's last event is awaited
              --Failed-->          closing
    talking   --Ended-->           closing
    leaving   --Failed, Ended-->   closing
    closing   --Closed-->          over       its media slot is free, and its place is given back

`hangup` leads from each of them to `leaving`, or to `over` where nothing was sent yet. The leg's end is waited for
at most `LEAVING_S`, media's at most `CLOSING_S`. Every leg tells `transfer_started`, and then exactly one of
`transfer_failed` and `transfer_ended`.
"""

from __future__ import annotations

from enum import StrEnum

from engine import disposition
from engine.disposition import Disposition, EndedBy, Verdict
from engine.events import (
    Answered,
    AnswerOffer,
    EarlyMedia,
    Ended,
    Failed,
    Hangup,
    LegEvent,
    Place,
    RemoteOffer,
    Ringing,
    Side,
    Trying,
)
from engine.manager_tally import ManagerTally
from engine.media import wire
from engine.orders import CancelTimer, LegOpened, LegOrder, LegRefused, OfLeg, OpenLeg, ReleaseLeg
from engine.outbox import Outbox
from engine.session import Session
from engine.settings import Settings
from engine.sip import sdp

LEAVING_S = 5.0  # for the peer to confirm CANCEL; a BYE ends the leg at once
CLOSING_S = 1.0  # for the media process to say its last word

_RING, _LEAVING, _CLOSING = "ring", "leaving", "closing"  # timers, behind the leg's name


class Stage(StrEnum):
    """Where a leg is; see the head of this file."""

    WAITING = "waiting"
    CALLING = "calling"
    TALKING = "talking"
    LEAVING = "leaving"
    CLOSING = "closing"
    OVER = "over"


class ManagerLeg:
    """One manager, called. `name` is the leg's, within the call; `shown` the number that it is called from."""

    def __init__(self, name: str, to: str, shown: str, ring_s: float, settings: Settings, out: Outbox) -> None:
        self.name = name
        self.stage = Stage.WAITING
        self.ringing = False
        self.tally = ManagerTally(to, shown, out.at)
        self._ring_s = ring_s
        self._settings = settings
        self._out = out
        self._session: Session | None = None
        self._heard_of = False  # any response has come at all
        self._media_over = False
        self._told = False  # its end

    def start(self, tried: int) -> None:
        """Ask for a place and a port; `tried` counts the managers of this transfer, this one with them."""
        self._out.fact("transfer_started", to=self.tally.to, shown=self.tally.shown, tried=tried)
        self._set_timer(_RING, self._ring_s)
        self._out.put(OpenLeg(self.name))

    def step(self, event: LegEvent | wire.SlotEvent | LegOpened | LegRefused) -> None:
        """An event of this leg or of its slot; safe in every stage."""
        match event:
            case _ if self.stage is Stage.OVER:
                pass
            case LegOpened() if self.stage is Stage.WAITING:
                self._place(event)
            case LegRefused(why) if self.stage is Stage.WAITING:
                self.tally.settle(disposition.NO_LINE, why)
                self._finish()
            case Failed():
                self._failed(event)
            case Ended():
                self._ended(event)
            case wire.Faulted(message):
                self._faulted(message)
            case wire.Closed():
                self._media_over = True
                self._close()
            case RemoteOffer(offer):
                self._answer_offer(offer)
            case Answered(answer) if self.stage is Stage.CALLING:
                self._answered(answer)
            case Trying() | Ringing() | EarlyMedia() if self.stage is Stage.CALLING:
                self._progress(event)
            case _:
                pass  # it came too late to matter, or is of its media, of which nothing follows

    def timer(self, name: str) -> None:
        """A timer of that name fired, ours or not."""
        whose, _, which = name.rpartition(":")
        match which:
            case _ if whose != self.name:
                pass
            case "ring" if self.stage is Stage.WAITING:
                self.tally.settle(disposition.NO_LINE, f"no line of trunk {self._settings.trunk!r} became free in time")
                self._finish()
            case "ring" if self.stage is Stage.CALLING:
                self._leave(disposition.RANG_OUT if self._heard_of else disposition.NOTHING_CAME)
            case "leaving" if self.stage is Stage.LEAVING:
                self._over()
            case "closing" if self.stage is Stage.CLOSING:
                self._finish()

    def hangup(self, by: EndedBy) -> None:
        """End it, whatever it is doing; idempotent. `by` is who ended the call."""
        if self.stage is Stage.WAITING:
            self.tally.settle(disposition.CALLED_OFF)
            self._finish()
        elif self.stage in (Stage.CALLING, Stage.TALKING):
            answered = self.tally.answered_at is not None
            self._leave(
                Verdict(Disposition.ANSWERED, disposition.NORMAL_CLEARING, by) if answered else disposition.CALLED_OFF
            )

    def abandon(self, by: EndedBy) -> None:
        """Be over now: whatever is still to come is nobody's any more."""
        self.hangup(by)
        if self.stage is not Stage.OVER:
            self._order(wire.Close())
            self._finish()

    # --- calling ----------------------------------------------------------------------------------------

    def _place(self, opened: LegOpened) -> None:
        self.stage = Stage.CALLING
        self._session = Session(self._settings, opened.port, opened.session)
        self._set_timer(_RING, self._ring_s)  # the wait for a line was none of the manager's
        self._order(Place(self._settings.trunk, self.tally.to, self.tally.shown, self._session.offer()))

    def _progress(self, event: Trying | Ringing | EarlyMedia) -> None:
        self._heard_of = True
        if not isinstance(event, Trying):
            self.ringing = True
            self._out.fact("transfer_ringing", to=self.tally.to, code=event.code)

    def _answered(self, answer: bytes) -> None:
        assert self._session is not None
        try:
            remote = self._session.answered(answer)
        except sdp.SdpError as error:
            self.tally.sip_code = 200
            self._leave(disposition.NO_CODEC, str(error))
            return
        self.stage = Stage.TALKING
        self.tally.answered_at, self.tally.sip_code = self._out.at, 200
        self._out.put(CancelTimer(f"{self.name}:{_RING}"))
        self._order(remote)
        self._out.fact("transfer_answered", to=self.tally.to)

    def _answer_offer(self, offer: bytes) -> None:
        if self._session is None:
            return
        try:
            answer, remote = self._session.answer(offer)
        except sdp.SdpError:
            self._order(AnswerOffer(b""))
            return
        self._order(answer)
        if remote is not None:
            self._order(remote)

    # --- the end ----------------------------------------------------------------------------------------

    def _leave(self, verdict: Verdict, reason: str = "") -> None:
        self.tally.settle(verdict, reason)
        self.stage = Stage.LEAVING
        self._set_timer(_LEAVING, LEAVING_S)
        self._order(Hangup(verdict.cause))

    def _faulted(self, message: str) -> None:
        self._media_over = True
        if self.stage in (Stage.CALLING, Stage.TALKING):
            answered = self.tally.answered_at is not None
            kind = Disposition.ANSWERED if answered else Disposition.INTERNAL_ERROR
            self._leave(Verdict(kind, disposition.BROKEN.cause, EndedBy.US), message)
        elif self.stage is Stage.CLOSING:
            self._finish()

    def _failed(self, event: Failed) -> None:
        if self.stage not in (Stage.CALLING, Stage.LEAVING):
            return
        given_up, self.tally.sip_code = self.tally.verdict, event.code
        verdict = disposition.of_failure(event, given_up)
        if verdict is not given_up:
            self.tally.verdict, self.tally.reason = verdict, event.reason
        self._over()

    def _ended(self, event: Ended) -> None:
        if self.stage not in (Stage.TALKING, Stage.LEAVING):
            return
        by = {Side.REMOTE: EndedBy.MANAGER, Side.LOCAL: EndedBy.US, Side.NETWORK: EndedBy.NETWORK}[event.by]
        self.tally.settle(Verdict(Disposition.ANSWERED, event.q850 or disposition.NORMAL_CLEARING, by))
        self._over()

    def _over(self) -> None:
        """The leg is over; its slot is to be given back."""
        self._tell_end()
        self.stage = Stage.CLOSING
        if self._media_over:
            self._finish()
        else:
            self._set_timer(_CLOSING, CLOSING_S)
            self._order(wire.Close())

    def _close(self) -> None:
        """The slot is free, as it should be or before its time."""
        if self.stage is Stage.CLOSING:
            self._finish()
        elif self.stage in (Stage.CALLING, Stage.TALKING):
            self._faulted("the media slot was closed")

    def _finish(self) -> None:
        self._tell_end()
        self.stage = Stage.OVER
        self._out.put(*(CancelTimer(f"{self.name}:{timer}") for timer in (_RING, _LEAVING, _CLOSING)))
        self._out.put(ReleaseLeg(self.name))

    def _tell_end(self) -> None:
        if self._told:
            return
        self._told = True
        tally = self.tally
        tally.settle(disposition.BROKEN)
        assert tally.verdict is not None
        tally.ended_at = self._out.at
        if tally.answered_at is None:
            self._out.fact(
                "transfer_failed",
                to=tally.to,
                disposition=tally.verdict.disposition.value,
                sip_code=tally.sip_code,
                reason=tally.reason,
            )
        else:
            talked_ms = round((tally.ended_at - tally.answered_at) * 1000)
            self._out.fact("transfer_ended", to=tally.to, ended_by=tally.verdict.ended_by.value, duration_ms=talked_ms)

    # --- small change -----------------------------------------------------------------------------------

    def _order(self, order: LegOrder) -> None:
        self._out.put(OfLeg(self.name, order))

    def _set_timer(self, name: str, seconds: float) -> None:
        self._out.set_timer(f"{self.name}:{name}", seconds)
