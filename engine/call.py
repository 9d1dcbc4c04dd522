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

Rules: a leg's end is waited for at most `LEAVING_S`, media's at most `CLOSING_S`; the whole life is bounded by
`upper_bound_s`, and a watchdog set to it ends the call whatever happens; nothing is put out after the fact `ended`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine import disposition, orders
from engine.disposition import Disposition, EndedBy, Verdict
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
from engine.orders import CancelTimer, Fact, HangupWanted, Input, Output, SetTimer, Start
from engine.presses import Presses
from engine.sip import sdp
from engine.tally import Tally
from ivr import events as script_events
from ivr.interpreter import Interpreter
from ivr.model import File, Interrupt, Pause, PromptItem, Record, Script, Text

LEAVING_S = 5.0  # for the peer to confirm CANCEL; a BYE ends the leg at once
CLOSING_S = 1.0  # for the media process to say its last word
NO_SPEECH_START_S = 2.5  # a silent callee gets the prompt anyway
MAX_WAIT_S = 4.0  # one who does not stop speaking, too
SLACK_S = 5.0

SHOWN_CHARACTERS = 60  # of a text that a fact names

_SCRIPT = "script:"  # timers of the script, among ours


class Phase(StrEnum):
    """Where a call is; see the head of this file."""

    IDLE = "idle"
    DIALING = "dialing"
    GREETING = "greeting"
    TALKING = "talking"
    LEAVING = "leaving"
    CLOSING = "closing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is decided about a call before it starts. `media_*` is where we receive RTP; `session` names our SDP."""

    call: str
    to: str
    outgoing: str
    trunk: str
    timeout_s: float
    codecs: tuple[sdp.Codec, ...]
    media_host: str
    media_port: int
    session: int
    detect_end_of_speech: bool = False
    journal: str | None = None  # the file that keeps this call, for its result


class Call:
    """The machine. `step` is its only verb; it never raises for what a peer did."""

    def __init__(self, settings: Settings, script: Script) -> None:
        self.settings = settings
        self.phase = Phase.IDLE
        self._script = script
        self._interpreter = Interpreter(script)
        self._presses = Presses()
        self._tally = Tally(settings.to, settings.outgoing, settings.trunk)
        self._out: list[Output] = []
        self._at = 0.0
        self._seq = 0
        self._heard_of = False  # any response has come at all
        self._sdp_version = 0
        self._plays: dict[int, Interrupt] = {}  # prompts that are not over
        self._held: list[str] = []  # keys that wait for the end of the prompt that they stop

    @property
    def upper_bound_s(self) -> float:
        """No call of these settings and this script lives longer, from `Start` on."""
        limits = self._script.limits
        return self.settings.timeout_s + MAX_WAIT_S + limits.duration_ms / 1000 + LEAVING_S + CLOSING_S + SLACK_S

    def step(self, at: float, event: Input) -> list[Output]:
        """Take one input that happened at `at` (Unix seconds); what follows, in order."""
        self._at, self._out = at, []
        match event:
            case _ if self.phase is Phase.OVER:
                pass
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
                self._conclude()
            case wire.Closed():
                self._tally.media = event
                self._conclude()
            case wire.Played():
                self._played(event)
            case _ if self.phase is Phase.DIALING:
                self._dialing(event)
            case _ if self.phase in (Phase.GREETING, Phase.TALKING):
                self._talking(event)
            case _:
                pass  # it came too late to matter
        return self._out

    def fail(self, at: float, reason: str) -> list[Output]:
        """Something of ours broke: leave, and be over with disposition `internal_error`."""
        self._at, self._out = at, []
        if self.phase is not Phase.OVER:
            self._tally.settle(disposition.BROKEN, reason=reason)
            self._out += [Hangup(disposition.BROKEN.cause), wire.Close()]
            self._conclude()
        return self._out

    # --- dialing ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        chosen = self.settings
        self._tally.started_at = self._at
        self.phase = Phase.DIALING
        self._fact("dialing", to=chosen.to, outgoing=chosen.outgoing, trunk=chosen.trunk)
        self._set_timer("watchdog", self.upper_bound_s)
        self._set_timer("ring", chosen.timeout_s)
        self._out.append(Place(chosen.trunk, chosen.to, chosen.outgoing, self._offer()))

    def _dialing(self, event: Input) -> None:
        self._heard_of = True
        match event:
            case Trying():
                pass
            case Ringing(code):
                self._tally.ringing_at = self._tally.ringing_at or self._at
                self._fact("ringing", code=code)
            case EarlyMedia(answer, code):
                self._tally.ringing_at = self._tally.ringing_at or self._at
                self._fact("early_media", code=code)
                self._send_to(answer)
            case RemoteOffer(offer):
                self._answer_offer(offer)
            case Answered(answer):
                self._answered(answer)
            case _:
                pass  # media before the answer: time zero of every detector is the answer

    def _answered(self, answer: bytes) -> None:
        self._tally.answered_at = self._at
        self._out.append(CancelTimer("ring"))
        self._fact("answered")
        problem = self._send_to(answer)
        if problem:
            self._tally.settle(disposition.NO_CODEC, 200, problem)
            self._leave(disposition.NO_CODEC)
            return
        greeted = self.settings.detect_end_of_speech
        if greeted or any(block.interrupt in (Interrupt.VOICE, Interrupt.ANY) for block in self._script.blocks):
            self._out.append(wire.Listen(("voice",)))
        if greeted:
            self.phase = Phase.GREETING
            self._set_timer("no_speech", NO_SPEECH_START_S)
            self._set_timer("max_wait", MAX_WAIT_S)
        else:
            self._begin()

    def _failed(self, event: Failed) -> None:
        if event.code is not None:
            self._heard_of = True
        self._tally.left_at = self._at
        if event.origin is Origin.REMOTE and event.code is not None and event.code != 487:
            # Even after our CANCEL: a final of the callee's own that crossed it is the truth.
            self._tally.verdict = disposition.of_final_code(event.code, event.q850)
            self._tally.sip_code, self._tally.reason = event.code, event.reason
        elif self._tally.verdict is not None:  # we gave it up, and why is settled
            self._tally.sip_code = event.code
        elif event.code is not None:
            self._tally.settle(disposition.of_final_code(event.code, event.q850), event.code, event.reason)
        elif event.origin is Origin.TIMEOUT:
            self._tally.settle(disposition.NOTHING_CAME, None, event.reason)
        else:
            self._tally.settle(disposition.NO_ADDRESS, None, event.reason)
        self._close()

    # --- answered ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.phase = Phase.TALKING
        self._out += [CancelTimer("no_speech"), CancelTimer("max_wait")]
        self._walk(script_events.Begin())

    def _talking(self, event: Input) -> None:
        match event:
            case wire.Digit(digit, channel):
                self._pressed(digit, channel)
            case InfoDigit(digit):
                self._pressed(digit, "info")
            case wire.SpeechStarted():
                self._fact("speech_started")
                self._out.append(CancelTimer("no_speech"))
            case wire.SpeechEnded():
                self._fact("speech_ended")
                if self.phase is Phase.GREETING:
                    self._begin()
            case wire.NoMedia():
                self._tally.no_media = True
                self._fact("no_media")
            case RemoteOffer(offer):
                self._answer_offer(offer)
            case _:
                pass  # Latched, MediaStarted, Sent: nothing to decide

    def _pressed(self, digit: str, channel: str) -> None:
        if not self._presses.report(self._at, digit, channel):
            return
        self._tally.digits += digit
        self._fact("digit", digit=digit, channel=channel)
        if any(mode in (Interrupt.DIGITS, Interrupt.ANY) for mode in self._plays.values()):
            # The media process stopped it already, unless the key came by INFO or just before the prompt did. The
            # script hears of the key when it is known how much of the prompt was heard: at once, or a tick later.
            self._out.append(wire.Stop())
            self._held.append(digit)
            return
        self._walk(script_events.Digit(digit))
        if self.phase is Phase.GREETING:  # who presses keys has heard enough silence
            self._begin()

    def _played(self, event: wire.Played) -> None:
        if self._plays.pop(event.play, None) is None:
            return
        self._tally.heard_ms += event.heard_ms
        if event.why in (wire.Stopped.VOICE, wire.Stopped.DIGIT):
            self._fact("barge_in", by=event.why)
        self._fact("prompt_ended", play=event.play, heard_ms=event.heard_ms, why=event.why)
        if self.phase is Phase.TALKING and event.why != wire.Stopped.CLOSED:
            held, self._held = self._held, []
            for digit in held:
                self._walk(script_events.Digit(digit))
            self._walk(script_events.PromptEnded(event.play, event.why))

    def _walk(self, event: script_events.Event) -> None:
        for command in self._interpreter.step(event):
            match command:
                case script_events.EnterBlock(block, tags):
                    self._tally.path.append(block)
                    self._tally.tags += tags
                    self._fact("block", block=block, tags=list(tags))
                case script_events.PlayPrompt(play, items, interrupt):
                    self._plays[play] = interrupt
                    self._out.append(command)
                    self._fact("prompt_started", play=play, clips=[_told(item) for item in items])
                case script_events.StopPrompt():
                    self._out.append(wire.Stop())
                case script_events.SetTimer(name, ms):
                    self._set_timer(_SCRIPT + name, ms / 1000)
                case script_events.CancelTimer(name):
                    self._out.append(CancelTimer(_SCRIPT + name))
                case script_events.Outcome(block, outcome, digits, chose):
                    if chose:
                        self._tally.answers.append(digits)
                    self._fact("outcome", block=block, outcome=outcome, digits=digits)
                case script_events.HangUp(why):
                    self._leave(Verdict(Disposition.ANSWERED, 16, EndedBy.US), "" if why == "end" else why)

    # --- the end ----------------------------------------------------------------------------------------

    def _timer(self, name: str) -> None:
        match name:
            case "ring" if self.phase is Phase.DIALING:
                self._leave(disposition.RANG_OUT if self._heard_of else disposition.NOTHING_CAME)
            case "no_speech" | "max_wait" if self.phase is Phase.GREETING:
                self._begin()
            case "leaving" if self.phase is Phase.LEAVING:
                self._tally.left_at = self._at
                self._close()
            case "closing" if self.phase is Phase.CLOSING:
                self._conclude()
            case "watchdog":
                was = Disposition.ANSWERED if self._tally.answered_at else Disposition.INTERNAL_ERROR
                self._tally.settle(
                    Verdict(was, disposition.RECOVERY_ON_TIMER_EXPIRY, EndedBy.WATCHDOG), reason="watchdog"
                )
                self._out += [Hangup(disposition.RECOVERY_ON_TIMER_EXPIRY), wire.Close()]
                self._conclude()
            case _ if name.startswith(_SCRIPT) and self.phase is Phase.TALKING:
                self._walk(script_events.TimerFired(name.removeprefix(_SCRIPT)))

    def _leave(self, verdict: Verdict, reason: str = "") -> None:
        """Hang up, whatever is going on; what the call amounts to is decided here."""
        if self.phase not in (Phase.DIALING, Phase.GREETING, Phase.TALKING):
            return
        if self._tally.answered_at is not None and verdict is disposition.CALLED_OFF:
            verdict = Verdict(Disposition.ANSWERED, verdict.cause, verdict.ended_by)
        answered = 200 if self._tally.answered_at is not None else None
        self._tally.settle(verdict, answered, reason)
        self.phase = Phase.LEAVING
        self._set_timer("leaving", LEAVING_S)
        self._out.append(Hangup(verdict.cause))

    def _ended(self, event: Ended) -> None:
        by = {Side.REMOTE: EndedBy.CALLEE, Side.LOCAL: EndedBy.US, Side.NETWORK: EndedBy.NETWORK}[event.by]
        cause = event.q850 or disposition.NORMAL_CLEARING
        self._tally.settle(Verdict(Disposition.ANSWERED, cause, by), 200)
        self._tally.left_at = self._at
        self._close()

    def _close(self) -> None:
        if self.phase in (Phase.CLOSING, Phase.OVER):
            return
        self.phase = Phase.CLOSING
        self._set_timer("closing", CLOSING_S)
        self._out.append(wire.Close())

    def _conclude(self) -> None:
        if self.phase is Phase.OVER:
            return
        self.phase = Phase.OVER
        self._fact("ended", **self._tally.result(self._at), journal=self.settings.journal)

    # --- small change -----------------------------------------------------------------------------------

    def _offer(self) -> bytes:
        mine = self.settings
        return sdp.offer(mine.media_host, mine.media_port, mine.codecs, session=mine.session, version=self._sdp_version)

    def _answer_offer(self, offer: bytes) -> None:
        self._sdp_version += 1
        if not offer:  # the peer wants ours (RFC 3261 section 14.2); its ACK brings the answer
            self._out.append(AnswerOffer(self._offer()))
            return
        mine = self.settings
        try:
            answer, media = sdp.answer(
                offer,
                mine.media_host,
                mine.media_port,
                mine.codecs,
                session=mine.session,
                version=self._sdp_version,
            )
        except sdp.SdpError as error:
            self._fact("offer_refused", reason=str(error))
            self._out.append(AnswerOffer(b""))
            return
        self._out += [AnswerOffer(answer), _remote(media)]

    def _send_to(self, answer: bytes) -> str:
        """Take the far end's address and codec from its answer; what is wrong with it, if anything."""
        try:
            self._out.append(_remote(sdp.read(answer, self.settings.codecs)))
        except sdp.SdpError as error:
            return str(error)
        return ""

    def _set_timer(self, name: str, seconds: float) -> None:
        self._out.append(SetTimer(name, self._at + seconds))

    def _fact(self, kind: str, **data: Any) -> None:
        self._seq += 1
        self._out.append(Fact(self._seq, self._at, kind, data))


def _told(item: PromptItem) -> str:
    match item:
        case File(path):
            return path
        case Record(name):
            return f"record {name}"
        case Text(text):
            line = " ".join(text.split())
            return f"text {line if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS] + '...'}"
        case Pause(ms):
            return f"pause {ms} ms"


def _remote(media: sdp.Media) -> wire.Remote:
    return wire.Remote(
        media.host, media.port, media.payload_type, media.dtmf_type, media.dtmf_rate, media.ptime_ms,
        media.send, media.receive, media.rtcp_host, media.rtcp_port,
    )  # fmt: skip
