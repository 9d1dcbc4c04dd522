"""What a call takes in besides events of its legs, and what it gives out besides orders to signalling and media."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
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


@dataclass(frozen=True, slots=True)
class LegOpened:
    """The further leg that `OpenLeg` asked for has its place on the trunk and its media slot."""

    port: int  # where it receives RTP
    session: int  # names its SDP


@dataclass(frozen=True, slots=True)
class LegRefused:
    """It could have neither."""

    why: str


Input = Start | HangupWanted | TimerFired | LegOpened | LegRefused | LegEvent | wire.SlotEvent

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


class Tone(StrEnum):
    """What a callee hears while a manager is called."""

    HOLD = "hold"
    RINGBACK = "ringback"


@dataclass(frozen=True, slots=True)
class PlayTone:
    """Play it to the callee, again and again, until it is stopped."""

    tone: Tone


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A further leg is wanted: wait for a place and the pace of the trunk, open a media slot; then `LegOpened`."""

    leg: str


@dataclass(frozen=True, slots=True)
class OfLeg:
    """An order to signalling or media that is for a further leg."""

    leg: str
    order: LegOrder


@dataclass(frozen=True, slots=True)
class Join:
    """Bridge the callee's slot and that leg's; it ends when either slot is closed."""

    leg: str


@dataclass(frozen=True, slots=True)
class ReleaseLeg:
    """The further leg is over, opened or not: its place is free."""

    leg: str


LegOrder = Place | Hangup | AnswerOffer | wire.Remote | wire.Play | wire.SendDigits | wire.Close
FurtherLeg = OpenLeg | OfLeg | Join | ReleaseLeg
MediaOrder = wire.Remote | wire.Stop | wire.Listen | wire.Record | wire.SendDigits | wire.Close | PlayPrompt | PlayTone
SignallingOrder = Place | Hangup | AnswerOffer
Output = SignallingOrder | MediaOrder | FurtherLeg | SetTimer | CancelTimer | Fact

INPUT_KINDS: tuple[type[Any], ...] = (
    Start, HangupWanted, TimerFired, LegOpened, LegRefused, *LegEvent.__args__, *wire.SlotEvent.__args__,
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
