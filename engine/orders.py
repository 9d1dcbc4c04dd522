"""What a call takes in besides events of its legs, and what it gives out besides orders to signalling and media."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.events import AnswerOffer, Failed, Hangup, LegEvent, Place
from engine.media import wire
from ivr.events import PlayPrompt

# --- in -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Dial now."""


@dataclass(frozen=True, slots=True)
class HangupWanted:
    """Whoever asked for the call wants it over."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that the call set, and did not cancel, has fired."""

    name: str


Input = Start | HangupWanted | TimerFired | LegEvent | wire.SlotEvent

# --- out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Set (or set anew) the call's timer of that name; `at` is Unix seconds."""

    name: str
    at: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of that name; idempotent."""

    name: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, told to whoever asked; numbered. The one of type `ended` is the last output."""

    seq: int
    at: float
    type: str
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self, call: str) -> dict[str, Any]:
        """The fact as it is told to the outside."""
        return {"call": call, "seq": self.seq, "at": self.at, "type": self.type, **self.data}


MediaOrder = wire.Remote | wire.Stop | wire.Listen | wire.Record | wire.Close | PlayPrompt
SignallingOrder = Place | Hangup | AnswerOffer
Output = SignallingOrder | MediaOrder | SetTimer | CancelTimer | Fact

INPUT_KINDS: tuple[type[Any], ...] = (
    Start, HangupWanted, TimerFired, *LegEvent.__args__, *wire.SlotEvent.__args__,
)  # fmt: skip
__all__ = [
    "INPUT_KINDS",
    "CancelTimer",
    "Fact",
    "Failed",
    "HangupWanted",
    "Input",
    "Output",
    "SetTimer",
    "Start",
]
