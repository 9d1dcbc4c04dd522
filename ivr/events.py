"""What goes into the interpreter of a script and what comes out. Times are ms; the host keeps the timers."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.model import Interrupt, PromptItem, Transfer

# --- in -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The call is answered (and, where that was asked for, the callee's greeting is over)."""


@dataclass(frozen=True, slots=True)
class Digit:
    """The callee pressed a key: one of 0-9 * # A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """Prompt number `play` is over. `by` is "ended", "digit", "voice" or "stopped"."""

    play: int
    by: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was set and not cancelled has fired."""

    name: str


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """The talk with a manager is over, or none could be reached: "ended", "failed", "busy", "no_answer", "rejected"."""

    outcome: str


Event = Begin | Digit | PromptEnded | TimerFired | TransferEnded

# --- out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnterBlock:
    """The script reached a block."""

    block: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Play these after another; exactly one `PromptEnded` with the same number must follow, unless hung up."""

    play: int
    items: tuple[PromptItem, ...]
    interrupt: Interrupt


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """Stop what is played now, if anything is."""


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """Connect the callee to a manager; exactly one `TransferEnded` must follow, unless hung up."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Set (or set anew) the timer of that name, `ms` from now."""

    name: str
    ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of that name; idempotent."""

    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A block is over: with which outcome. `digits` is what its gather took, "" where it took none."""

    block: str
    outcome: str
    digits: str
    chose: bool  # the digits are an outcome that `on` names


@dataclass(frozen=True, slots=True)
class HangUp:
    """The script is over; nothing follows."""

    why: str  # "end" | "visits" | "duration"


Command = EnterBlock | PlayPrompt | StopPrompt | StartTransfer | SetTimer | CancelTimer | Outcome | HangUp
