"""Walks a script: events in, commands out. Pure; times are the host's, who keeps the timers.

    waiting  --Begin-->                       in a block
    in a block: its prompt is played, then digits are taken (gather) or a manager is called (transfer), until there is
    an outcome
    in a block  --outcome that `on` names-->  in that block
                --one that it does not-->     over
    any      --timer "duration"-->            over

Keys that are pressed early wait in a buffer. A gather takes them as soon as its prompt is over, or at once where
digits may interrupt the prompt; if keys wait already when such a prompt is due, it is not played. Only what the
media process reports ends a prompt (the interrupt that came with it was decided there); what is said here is
`StopPrompt`, whenever a block is left while its prompt is believed to be still playing. Keys that are pressed from
the beginning of a transfer to its end are meant for the manager, and none of the script's.
"""

from __future__ import annotations

from collections import Counter, deque

from ivr.events import (
    Begin,
    CancelTimer,
    Command,
    Digit,
    EnterBlock,
    Event,
    HangUp,
    Outcome,
    PlayPrompt,
    PromptEnded,
    SetTimer,
    StartTransfer,
    StopPrompt,
    TimerFired,
    TransferEnded,
)
from ivr.model import DONE, INVALID, SILENCE, VOICE, Block, Gather, Interrupt, Script
from ivr.outcomes import is_digits

DURATION, GATHER = "duration", "gather"  # the two timers
MAX_EARLY = 200  # keys that wait; more are dropped

_BY_DIGITS = (Interrupt.DIGITS, Interrupt.ANY)


class Interpreter:
    """One walk through one script. Every event is safe in every state; after `HangUp` nothing comes out."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._blocks = {block.name: block for block in script.blocks}
        self._visits: Counter[str] = Counter()
        self._early: deque[str] = deque()  # keys that no gather has taken
        self._taken = ""  # what the present gather has
        self._tries_left = 0
        self._block: Block | None = None  # none before Begin
        self._play = 0  # number of the last prompt
        self._playing = False  # and whether it is believed to be heard still
        self._waiting = False  # the timer of the gather is set
        self._transferring = False  # a manager is called, or talks
        self._next: str | None = None  # the block to go to
        self._over = False
        self._out: list[Command] = []

    def step(self, event: Event) -> list[Command]:
        """Take one event; what is to be done, in order."""
        self._out = []
        if self._over:
            return []
        match event:
            case Begin() if self._block is None:
                self._out.append(SetTimer(DURATION, self._script.limits.duration_ms))
                self._next = self._script.start
            case Digit(digit):
                self._pressed(digit)
            case PromptEnded(play, by) if self._playing and play == self._play:
                self._playing = False
                self._prompt_over(by)
            case TransferEnded(outcome) if self._transferring:
                self._leave(outcome)
            case TimerFired(name) if name == GATHER and self._waiting:
                self._waiting = False
                self._timed_out()
            case TimerFired(name) if name == DURATION and self._block is not None:
                self._hang_up("duration")
            case _:
                pass  # stale: it belongs to a prompt or a wait that is over
        while self._next is not None and not self._over:  # blocks that neither play nor ask follow at once
            name, self._next = self._next, None
            self._enter(self._blocks[name])
        return self._out

    def _enter(self, block: Block) -> None:
        self._visits[block.name] += 1
        if self._visits[block.name] > self._script.limits.visits:
            self._hang_up("visits")
            return
        self._block = block
        self._tries_left = block.gather.tries if block.gather else 0
        self._out.append(EnterBlock(block.name, block.tags))
        self._begin_prompt(block)

    def _begin_prompt(self, block: Block) -> None:
        """A try begins: play, unless there is nothing to play or the callee has answered already."""
        self._taken = ""
        answered = block.gather is not None and block.interrupt in _BY_DIGITS and bool(self._early)
        if block.prompt and not answered:
            self._play += 1
            self._playing = True
            self._out.append(PlayPrompt(self._play, block.prompt, block.interrupt))
        else:
            self._prompt_over("ended")

    def _prompt_over(self, by: str) -> None:
        block = self._block
        if block is None:
            return
        if by == "voice" and not self._taken and block.target(VOICE) is not None:
            self._leave(VOICE)
        elif block.transfer is not None:
            self._transferring = True
            self._out.append(StartTransfer(block.transfer))
        elif block.gather is None:
            self._leave(DONE)
        else:
            self._take(block, block.gather)
            if not (self._taken or self._waiting or self._playing or self._next or self._over):
                self._wait(block.gather.timeout_ms)

    # --- digits -----------------------------------------------------------------------------------------

    def _pressed(self, digit: str) -> None:
        if self._transferring:
            return
        if len(self._early) < MAX_EARLY:
            self._early.append(digit)
        block = self._block
        if block is None or block.gather is None:
            return
        if not self._playing or block.interrupt in _BY_DIGITS:
            self._take(block, block.gather)

    def _take(self, block: Block, gather: Gather) -> None:
        """Move waiting keys into the gather until it is complete, spoilt or wants more."""
        while self._early:
            key = self._early.popleft()
            if key == gather.terminator:
                self._complete(block, gather)
                return
            self._taken += key
            if len(self._taken) == gather.max:
                self._complete(block, gather)
                return
            self._wait(gather.between_ms)

    def _timed_out(self) -> None:
        block = self._block
        if block is None or block.gather is None:
            return
        if self._taken:
            self._complete(block, block.gather)
        else:
            self._lose(block, SILENCE)

    def _complete(self, block: Block, gather: Gather) -> None:
        """No further digit is awaited."""
        named = [outcome for outcome, _ in block.on if is_digits(outcome)]
        if len(self._taken) < gather.min or (named and self._taken not in named):
            self._lose(block, INVALID)
        elif named:
            self._leave(self._taken)
        else:
            self._leave(DONE)

    def _lose(self, block: Block, outcome: str) -> None:
        self._tries_left -= 1
        if self._tries_left > 0:
            self._settle()
            self._begin_prompt(block)
        else:
            self._leave(outcome)

    # --- onwards ----------------------------------------------------------------------------------------

    def _leave(self, outcome: str) -> None:
        block = self._block
        assert block is not None
        self._settle()
        chose = bool(self._taken) and outcome == self._taken
        self._out.append(Outcome(block.name, outcome, self._taken, chose))
        self._next = block.target(outcome)
        if self._next is None:
            self._hang_up("end")

    def _hang_up(self, why: str) -> None:
        self._settle()
        self._over = True
        if why != DURATION:
            self._out.append(CancelTimer(DURATION))
        self._out.append(HangUp(why))

    def _settle(self) -> None:
        """Nothing of the present try stays behind."""
        self._transferring = False
        if self._playing:
            self._playing = False
            self._out.append(StopPrompt())
        if self._waiting:
            self._waiting = False
            self._out.append(CancelTimer(GATHER))

    def _wait(self, ms: int) -> None:
        self._waiting = True
        self._out.append(SetTimer(GATHER, ms))
