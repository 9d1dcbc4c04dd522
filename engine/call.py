"""One call, from the INVITE to its result: a deterministic machine.

    inputs (each with its time): signalling | media | timer | command  ->  Call.step  ->  orders, timers, facts

It touches no socket and asks no clock, so the same inputs give the same facts, bit for bit: that is what a journal
replays. Its phases:

    idle      --Start-->            dialing
    dialing   --Answered-->         greeting or talking    (facts: ringing, early_media, answered)
              --Failed-->           closing
              --ring, hang-up-->    leaving    CANCEL went out; the leg's last event is awaited
    greeting  --silence, limits-->  talking    the callee's first words are waited for, where that is asked for
    talking   --end of script-->    leaving    BYE went out
              --Ended-->            closing
    leaving   --Failed, Ended-->    closing
    closing   --Closed-->           over       the media process tells how much was heard
              --Recorded-->         over       where the call was recorded, both are awaited

While it talks, the script may connect the callee to a manager: `engine.transfer` is the machine of that second leg.
Whatever ends the callee's leg ends the manager's, and `over` waits for both.

Rules: a leg's end is waited for at most `LEAVING_S`, media's at most `CLOSING_S`, a recording's at most `RECORDING_S`;
the whole life is bounded by `upper_bound_s`, and a watchdog set to it ends the call whatever happens; nothing is put
out after the fact `ended`.
"""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from itertools import count
from typing import Any

from engine import disposition, orders, talk
from engine.disposition import Disposition, EndedBy, Verdict
from engine.events import (
    Answered,
    AnswerOffer,
    EarlyMedia,
    Ended,
    Failed,
    Hangup,
    InfoDigit,
    Place,
    RemoteOffer,
    Ringing,
    Side,
    Trying,
)
from engine.manager_leg import CLOSING_S, LEAVING_S
from engine.media import wire
from engine.orders import CancelTimer, HangupWanted, Input, Output, Start
from engine.outbox import Outbox
from engine.session import Session
from engine.settings import Settings
from engine.sip import sdp
from engine.talk import Talk
from engine.tally import Tally
from engine.transfer import Transfer
from ivr import model
from ivr.model import Interrupt, Script

RECORDING_S = 20.0  # for the writer to say what became of the recording: when many end at once, a disk takes its time
NO_SPEECH_START_S = 2.5  # a silent callee gets the prompt anyway
MAX_WAIT_S = 4.0  # one who does not stop speaking, too
SLACK_S = 5.0


class Phase(StrEnum):
    """Where a call is; see the head of this file."""

    IDLE = "idle"
    DIALING = "dialing"
    GREETING = "greeting"
    TALKING = "talking"
    LEAVING = "leaving"
    CLOSING = "closing"
    OVER = "over"


class Call:
    """The machine. `step` is its only verb; it never raises for what a peer did."""

    def __init__(self, settings: Settings, script: Script) -> None:
        self.settings = settings
        self.phase = Phase.IDLE
        self._script = script
        self._tally = Tally(settings.to, settings.outgoing, settings.trunk)
        self._out = Outbox()
        self._talk = Talk(script, self._tally, self._out, hang_up=self._script_over, connect=self._connect)
        self._session = Session(settings, settings.media_port, settings.session)
        self._heard_of = False  # any response has come at all
        self._listens: tuple[str, ...] = ()
        self._recording = False  # and what becomes of it is not known
        self._media_over = False
        self._legs = (f"m{number}" for number in count(1))  # names of those to managers
        self._transfer: Transfer | None = None  # as long as anything is left of it
        self.connects = any(block.transfer for block in script.blocks)  # it may want a second leg

    @property
    def upper_bound_s(self) -> float:
        """No call of these settings and this script lives longer, from `Start` on."""
        limits = self._script.limits
        closing_s = RECORDING_S if self.settings.record_to else CLOSING_S
        if self.connects:  # its CANCEL may go out when the callee has left
            closing_s = max(closing_s, LEAVING_S + CLOSING_S)
        return self.settings.timeout_s + MAX_WAIT_S + limits.duration_ms / 1000 + LEAVING_S + closing_s + SLACK_S

    def step(self, at: float, event: Input, leg: str = "") -> list[Output]:
        """Take one input that happened at `at` (Unix seconds); what follows, in order.

        `leg` names the manager's leg whose event this is (`OpenLeg`); "" is the callee's.
        """
        outputs = self._out.begin(at)
        match event:
            case _ if self.phase is Phase.OVER:
                pass
            case Start() | HangupWanted() | orders.TimerFired() if leg:
                pass
            case _ if leg:
                self._of_manager(leg, event)
            case Start() if self.phase is Phase.IDLE:
                self._start()
            case orders.TimerFired(name):
                self._timer(name)
            case HangupWanted():
                self._leave(disposition.CALLED_OFF)
            case Failed():
                self._failed(event)
            case Ended():
                self._ended(event)
            case wire.Faulted(message):
                self._tally.settle(disposition.BROKEN, reason=message)
                self._leave(disposition.BROKEN)
                self._end_media()
            case wire.Closed():
                self._tally.media = event
                self._end_media()
            case wire.Recorded():
                self._recorded(event)
            case wire.Played():
                self._talk.played(event, self.phase is Phase.TALKING)
            case _ if self.phase is Phase.DIALING:
                self._dialing(event)
            case _ if self.phase in (Phase.GREETING, Phase.TALKING):
                self._talking(event)
            case _:
                pass  # it came too late to matter
        return outputs

    def fail(self, at: float, reason: str) -> list[Output]:
        """Something of ours broke: leave, and be over with disposition `internal_error`."""
        outputs = self._out.begin(at)
        if self.phase is not Phase.OVER:
            self._tally.settle(disposition.BROKEN, reason=reason)
            self._out.put(Hangup(disposition.BROKEN.cause), wire.Close())
            self._conclude()
        return outputs

    # --- dialing ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        chosen = self.settings
        self._tally.started_at = self._out.at
        self.phase = Phase.DIALING
        self._out.fact("dialing", to=chosen.to, outgoing=chosen.outgoing, trunk=chosen.trunk)
        self._out.set_timer("watchdog", self.upper_bound_s)
        self._out.set_timer("ring", chosen.timeout_s)
        self._out.put(Place(chosen.trunk, chosen.to, chosen.outgoing, self._session.offer()))

    def _dialing(self, event: Input) -> None:
        self._heard_of = True
        match event:
            case Trying():
                pass
            case Ringing(code):
                self._tally.ringing_at = self._tally.ringing_at or self._out.at
                self._out.fact("ringing", code=code)
            case EarlyMedia(answer, code):
                self._tally.ringing_at = self._tally.ringing_at or self._out.at
                self._out.fact("early_media", code=code)
                self._send_to(answer)
            case RemoteOffer(offer):
                self._answer_offer(offer)
            case Answered(answer):
                self._answered(answer)
            case _:
                pass  # media before the answer: time zero of every detector is the answer

    def _answered(self, answer: bytes) -> None:
        self._tally.answered_at = self._out.at
        self._out.put(CancelTimer("ring"))
        self._out.fact("answered")
        problem = self._send_to(answer)
        if problem:
            self._tally.settle(disposition.NO_CODEC, 200, problem)
            self._leave(disposition.NO_CODEC)
            return
        if self.settings.record_to:
            self._recording = True
            self._out.put(wire.Record(self.settings.record_to))
        greeted = self.settings.detect_end_of_speech
        if greeted or any(block.interrupt in (Interrupt.VOICE, Interrupt.ANY) for block in self._script.blocks):
            self._listens = ("voice",)
            self._out.put(wire.Listen(self._listens))
        if greeted:
            self.phase = Phase.GREETING
            self._out.set_timer("no_speech", NO_SPEECH_START_S)
            self._out.set_timer("max_wait", MAX_WAIT_S)
        else:
            self._begin()

    def _failed(self, event: Failed) -> None:
        if event.code is not None:
            self._heard_of = True
        self._tally.left_at = self._out.at
        given_up, self._tally.sip_code = self._tally.verdict, event.code
        verdict = disposition.of_failure(event, given_up)
        if verdict is not given_up:
            self._tally.verdict, self._tally.reason = verdict, event.reason
        self._close(EndedBy.CALLEE)

    # --- answered ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.phase = Phase.TALKING
        self._out.put(CancelTimer("no_speech"), CancelTimer("max_wait"))
        self._talk.begin()

    def _talking(self, event: Input) -> None:
        match event:
            case wire.Digit(digit, channel):
                self._pressed(digit, channel)
            case InfoDigit(digit):
                self._pressed(digit, "info")
            case wire.SpeechStarted():
                self._out.fact("speech_started")
                self._out.put(CancelTimer("no_speech"))
            case wire.SpeechEnded():
                self._out.fact("speech_ended")
                if self.phase is Phase.GREETING:
                    self._begin()
            case wire.NoMedia():
                self._tally.no_media = True
                self._out.fact("no_media")
            case RemoteOffer(offer):
                self._answer_offer(offer)
            case _:
                pass  # Latched, MediaStarted, Sent: nothing to decide

    def _pressed(self, digit: str, channel: str) -> None:
        if not self._talk.pressed(digit, channel):
            return
        if self._transfer is not None and channel == "info":
            self._transfer.pass_on(digit)
        if self.phase is Phase.GREETING:  # who presses keys has heard enough silence
            self._begin()

    def _script_over(self, by: EndedBy, why: str) -> None:
        self._leave(Verdict(Disposition.ANSWERED, disposition.NORMAL_CLEARING, by), why)

    # --- the manager ------------------------------------------------------------------------------------

    def _connect(self, wanted: model.Transfer) -> None:
        if self._listens:  # what the callee says is said to the manager
            self._out.put(wire.Listen(()))
        self._transfer = Transfer(wanted, self.settings, self._legs, self._out)

    def _of_manager(self, leg: str, event: Any) -> None:
        if self._transfer is not None:
            self._transfer.step(leg, event)
            self._transfer_moved()

    def _transfer_moved(self) -> None:
        transfer = self._transfer
        if transfer is None or not transfer.over:
            return
        self._transfer = None
        self._tally.manager_was(transfer.tally)
        if self.phase is not Phase.TALKING:
            self._end()
            return
        if self._listens:
            self._out.put(wire.Listen(self._listens))
        self._talk.transferred(transfer.outcome, transfer.ended_by)

    # --- the end ----------------------------------------------------------------------------------------

    def _timer(self, name: str) -> None:
        match name:
            case "ring" if self.phase is Phase.DIALING:
                self._leave(disposition.RANG_OUT if self._heard_of else disposition.NOTHING_CAME)
            case "no_speech" | "max_wait" if self.phase is Phase.GREETING:
                self._begin()
            case "leaving" if self.phase is Phase.LEAVING:
                self._tally.left_at = self._out.at
                self._close(EndedBy.US)
            case "closing" if self.phase is Phase.CLOSING:
                self._give_up_media()
            case "watchdog":
                was = Disposition.ANSWERED if self._tally.answered_at else Disposition.INTERNAL_ERROR
                self._tally.settle(
                    Verdict(was, disposition.RECOVERY_ON_TIMER_EXPIRY, EndedBy.WATCHDOG), reason="watchdog"
                )
                self._out.put(Hangup(disposition.RECOVERY_ON_TIMER_EXPIRY), wire.Close())
                self._conclude()
            case _ if name.startswith(talk.TIMERS):
                if self.phase is Phase.TALKING:
                    self._talk.timer(name)
            case _ if self._transfer is not None:
                self._transfer.timer(name)
                self._transfer_moved()

    def _leave(self, verdict: Verdict, reason: str = "") -> None:
        """Hang up, whatever is going on; what the call amounts to is decided here."""
        if self.phase not in (Phase.DIALING, Phase.GREETING, Phase.TALKING):
            return
        if self._tally.answered_at is not None and verdict is disposition.CALLED_OFF:
            verdict = Verdict(Disposition.ANSWERED, verdict.cause, verdict.ended_by)
        answered = 200 if self._tally.answered_at is not None else None
        self._tally.settle(verdict, answered, reason)
        self.phase = Phase.LEAVING
        self._out.set_timer("leaving", LEAVING_S)
        self._out.put(Hangup(verdict.cause))
        self._call_off(verdict.ended_by)

    def _call_off(self, by: EndedBy) -> None:
        if self._transfer is not None:
            self._transfer.hangup(by)
            self._transfer_moved()

    def _ended(self, event: Ended) -> None:
        by = {Side.REMOTE: EndedBy.CALLEE, Side.LOCAL: EndedBy.US, Side.NETWORK: EndedBy.NETWORK}[event.by]
        cause = event.q850 or disposition.NORMAL_CLEARING
        self._tally.settle(Verdict(Disposition.ANSWERED, cause, by), 200)
        self._tally.left_at = self._out.at
        self._close(by)

    def _close(self, by: EndedBy) -> None:
        if self.phase in (Phase.CLOSING, Phase.OVER):
            return
        self.phase = Phase.CLOSING
        self._out.set_timer("closing", RECORDING_S if self._recording else CLOSING_S)
        self._out.put(wire.Close())
        self._call_off(by)

    def _end_media(self) -> None:
        """The slot is free; the writer may still have something to say, and the manager's leg."""
        self._media_over = True
        if self.phase is not Phase.CLOSING:  # before its time: nobody can be heard any more
            self.phase = Phase.CLOSING
            self._out.set_timer("closing", RECORDING_S if self._recording else CLOSING_S)
            self._call_off(EndedBy.US)
        self._end()

    def _give_up_media(self) -> None:
        self._media_over = True
        self._give_up_recording()
        self._end()

    def _end(self) -> None:
        """Conclude, if nothing is awaited any more."""
        if self._media_over and not self._recording and self._transfer is None:
            self._conclude()

    def _recorded(self, event: wire.Recorded) -> None:
        if not self._recording:
            return
        self._recording = False
        self._tally.recording = asdict(event)
        self._out.fact("recording", **self._tally.recording)
        self._end()

    def _give_up_recording(self) -> None:
        if self._recording:
            path, began = self.settings.record_to or "", self._tally.answered_at or self._out.at
            why = "the writer did not answer in time"
            self._recorded(wire.Recorded(path, 0, wire.Saved.FAILED.value, why, began))

    def _conclude(self) -> None:
        if self.phase is Phase.OVER:
            return
        self.phase = Phase.OVER
        self._give_up_recording()
        if self._transfer is not None:
            self._transfer.abandon(self._tally.verdict.ended_by if self._tally.verdict else EndedBy.US)
            self._tally.manager_was(self._transfer.tally)
        self._out.fact("ended", **self._tally.result(self._out.at), journal=self.settings.journal)

    # --- small change -----------------------------------------------------------------------------------

    def _answer_offer(self, offer: bytes) -> None:
        try:
            answer, remote = self._session.answer(offer)
        except sdp.SdpError as error:
            self._out.fact("offer_refused", reason=str(error))
            self._out.put(AnswerOffer(b""))
            return
        self._out.put(answer)
        if remote is not None:
            self._out.put(remote)

    def _send_to(self, answer: bytes) -> str:
        """Take the far end's address and codec from its answer; what is wrong with it, if anything."""
        try:
            self._out.put(self._session.answered(answer))
        except sdp.SdpError as error:
            return str(error)
        return ""
