"""What legs say: the events that signalling sends up, and the orders that a call sends down. Never SIP.

Each event travels in an envelope of (leg, time), so none of these carries either. A leg is a string that its
caller chose; time is Unix seconds. Per leg there is exactly one `Failed` or `Ended`, and it is the last event.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Who made an attempt fail."""

    REMOTE = "remote"  # a final response from the wire
    LOCAL = "local"  # we gave it up (hangup, stop, no address, a message that cannot be sent)
    TIMEOUT = "timeout"  # nothing came in time (Timer B)


class Side(StrEnum):
    """Who ended an answered leg."""

    REMOTE = "remote"  # BYE from the far end
    LOCAL = "local"  # our BYE
    NETWORK = "network"  # the dialog died (481 or 408 inside it, socket gone)


# --- events of a leg ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trying:
    """The first sign of life from the trunk, a 100 or a challenge: somebody is there."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """180, or another provisional without a session. Comes again when the peer says it again from a new fork."""

    code: int = 180


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """A provisional that brought an SDP answer."""

    sdp: bytes
    code: int = 183


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx; it is acknowledged already. `sdp` is the answer (of an earlier reliable 18x, when the 2xx had none)."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class RemoteOffer:
    """A re-INVITE or UPDATE with an offer; `answer_offer` must follow. An offerless one comes with b""."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class InfoDigit:
    """A key pressed, by SIP INFO (application/dtmf-relay or application/dtmf); already answered with 200."""

    digit: str  # 0-9 * # A-D


@dataclass(frozen=True, slots=True)
class Failed:
    """Not answered. `code` is from the wire, unknown ones too; None where none came.

    A leg hung up before its answer ends here with origin LOCAL (code 487 where the peer said it), and so does a
    leg whose 2xx lost the race against our hang-up.
    """

    code: int | None
    reason: str
    origin: Origin
    q850: int | None = None  # of a `Reason: Q.850;cause=` header
    retry_after_s: int | None = None
    contacts: tuple[str, ...] = ()  # of a 3xx


@dataclass(frozen=True, slots=True)
class Ended:
    """An answered leg is over."""

    by: Side
    code: int | None = None
    q850: int | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """Only at a signalling that accepts calls (the sandbox): somebody calls us on a new leg."""

    sdp: bytes
    to: str  # user part of the request URI
    caller: str  # user part of From


@dataclass(frozen=True, slots=True)
class TrunkChanged:
    """Not of a leg (its leg is ""): a registration came or went."""

    trunk: str
    up: bool
    reason: str = ""


LegEvent = Trying | Ringing | EarlyMedia | Answered | RemoteOffer | InfoDigit | Failed | Ended | Incoming
SignallingEvent = LegEvent | TrunkChanged


# --- orders of a call to signalling ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Send an INVITE. `to` and `outgoing` are digits without plus; the trunk decides how they are shown."""

    trunk: str
    to: str
    outgoing: str
    sdp: bytes


@dataclass(frozen=True, slots=True)
class Hangup:
    """CANCEL before the answer, BYE after it. `cause` is Q.850, sent in a Reason header."""

    cause: int = 16


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    """The answer to a `RemoteOffer`; empty bytes refuse it with 488."""

    sdp: bytes


SignallingOrder = Place | Hangup | AnswerOffer
