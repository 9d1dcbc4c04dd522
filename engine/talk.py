"""What the script makes of an answered call: prompts, keys, outcomes. Pure: a part of the machine in engine/call.py."""

from __future__ import annotations

from collections.abc import Callable

from engine.disposition import EndedBy
from engine.media import wire
from engine.orders import CancelTimer
from engine.outbox import Outbox
from engine.presses import Presses
from engine.tally import Tally
from ivr import events
from ivr.interpreter import Interpreter
from ivr.model import File, Interrupt, Pause, PromptItem, Record, Script, Text, Transfer

SHOWN_CHARACTERS = 60  # of a text that a fact names

TIMERS = "script:"  # what the names of the script's timers begin with, among the call's


class Talk:
    """`hang_up(by, why)` is called when the script is over, `connect(wanted)` when it wants a manager."""

    def __init__(
        self,
        script: Script,
        tally: Tally,
        out: Outbox,
        *,
        hang_up: Callable[[EndedBy, str], None],
        connect: Callable[[Transfer], None],
    ) -> None:
        self._interpreter = Interpreter(script)
        self._tally = tally
        self._out = out
        self._hang_up = hang_up
        self._connect = connect
        self._presses = Presses()
        self._plays: dict[int, Interrupt] = {}  # prompts that are not over
        self._held: list[str] = []  # keys that wait for the end of the prompt that they stop

    def begin(self) -> None:
        """The first block."""
        self._walk(events.Begin())

    def timer(self, name: str) -> None:
        """A timer fired whose name begins with `TIMERS`."""
        self._walk(events.TimerFired(name.removeprefix(TIMERS)))

    def transferred(self, outcome: str, by: EndedBy) -> None:
        """A transfer is over; `by` is whose doing it is, if the script ends with it."""
        self._walk(events.TransferEnded(outcome), by)

    def pressed(self, digit: str, channel: str) -> bool:
        """A channel reports a key; true when that is a press not known yet."""
        if not self._presses.report(self._out.at, digit, channel):
            return False
        self._tally.digits += digit
        self._out.fact("digit", digit=digit, channel=channel)
        if any(mode in (Interrupt.DIGITS, Interrupt.ANY) for mode in self._plays.values()):
            # The media process stopped it already, unless the key came by INFO or just before the prompt did. The
            # script hears of the key when it is known how much of the prompt was heard: at once, or a tick later.
            self._out.put(wire.Stop())
            self._held.append(digit)
        else:
            self._walk(events.Digit(digit))
        return True

    def played(self, event: wire.Played, goes_on: bool) -> None:
        """A prompt is over; where the call does not go on, the script hears nothing of it."""
        if self._plays.pop(event.play, None) is None:
            return
        self._tally.heard_ms += event.heard_ms
        if event.why in (wire.Stopped.VOICE, wire.Stopped.DIGIT):
            self._out.fact("barge_in", by=event.why)
        self._out.fact("prompt_ended", play=event.play, heard_ms=event.heard_ms, why=event.why)
        if goes_on and event.why != wire.Stopped.CLOSED:
            held, self._held = self._held, []
            for digit in held:
                self._walk(events.Digit(digit))
            self._walk(events.PromptEnded(event.play, event.why))

    def _walk(self, event: events.Event, by: EndedBy = EndedBy.US) -> None:
        for command in self._interpreter.step(event):
            match command:
                case events.EnterBlock(block, tags):
                    self._tally.path.append(block)
                    self._tally.tags += tags
                    self._out.fact("block", block=block, tags=list(tags))
                case events.PlayPrompt(play, items, interrupt):
                    self._plays[play] = interrupt
                    self._out.put(command)
                    self._out.fact("prompt_started", play=play, clips=[_told(item) for item in items])
                case events.StopPrompt():
                    self._out.put(wire.Stop())
                case events.StartTransfer(wanted):
                    self._connect(wanted)
                case events.SetTimer(name, ms):
                    self._out.set_timer(TIMERS + name, ms / 1000)
                case events.CancelTimer(name):
                    self._out.put(CancelTimer(TIMERS + name))
                case events.Outcome(block, outcome, digits, chose):
                    if chose:
                        self._tally.answers.append(digits)
                    self._out.fact("outcome", block=block, outcome=outcome, digits=digits)
                case events.HangUp(why):
                    self._hang_up(by, "" if why == "end" else why)


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
