"""What crosses the boundary to the media process: small fixed commands down, small fixed events up.

One message is one SEQPACKET datagram, JSON: `[kind, slot, generation, at, fields...]`. A slot is an RTP port of the
pool; its generation counts its uses, so that what was meant for an earlier call is dropped. `at` is Unix seconds
of the event, 0 in a command. Messages without a slot (`Load`, `Ready`, `Loading`) have slot -1.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Interrupt(StrEnum):
    """What stops a prompt at once, in the media process, without asking anyone."""

    NONE = "none"
    DIGITS = "digits"
    VOICE = "voice"
    ANY = "any"


class Stopped(StrEnum):
    """Why a prompt is over."""

    ENDED = "ended"  # heard to its end
    DIGIT = "digit"
    VOICE = "voice"
    STOPPED = "stopped"  # by `Stop`
    CLOSED = "closed"  # the call ended in it


class Saved(StrEnum):
    """What became of a recording."""

    SAVED = "saved"  # all of the call
    INCOMPLETE = "incomplete"  # what there is can be played; something is missing
    FAILED = "failed"  # there is no file


# --- commands -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """Take a prepared clip (engine/clips) into the arena. Numbers are given by the control side, from 1 on."""

    clip: int
    path: str


@dataclass(frozen=True, slots=True)
class Open:
    """A call takes the slot. `networks` are CIDRs from which RTP is taken beside the address of the SDP."""

    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remote:
    """Where to send, and how: from the SDP. Sending begins at once, with silence until something is played."""

    host: str
    port: int
    payload_type: int = 8  # 0 mu-law, 8 A-law
    dtmf_type: int | None = 101
    dtmf_rate: int = 8000
    ptime_ms: int = 20
    send: bool = True  # false while the far end holds us
    receive: bool = True
    rtcp_host: str | None = None  # None: the host of RTP
    rtcp_port: int = 0  # 0: the port above that of RTP


@dataclass(frozen=True, slots=True)
class Play:
    """Queue a prompt. Positive items are clip numbers, negative ones pauses of that many ms.

    With `repeat` it begins again whenever it is over, until it is stopped.
    """

    play: int
    items: tuple[int, ...]
    interrupt: str = Interrupt.NONE
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop what is played and forget what is queued; each gets its `Played`."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Which listeners hear this call from now on: names from `detection` ("voice"); none switches them off."""

    listens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press keys (RFC 4733), after what is queued now; `Sent` follows the last one."""

    digits: str
    on_ms: int = 100
    off_ms: int = 100


@dataclass(frozen=True, slots=True)
class Bridge:
    """Send what that slot hears, in place of what is played, and its keys; -1 ends that.

    Give it to each of the two. A slot that is of a later generation by now is nobody to bridge to.
    """

    slot: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """Record both directions from the next tick on, until `Close`, into that file: .wav, or .ogg for Opus."""

    path: str


@dataclass(frozen=True, slots=True)
class Close:
    """The call gives the slot back; `Closed` is the last event of its generation."""


# --- events ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """First message: the even ports that are bound (the slot is the index), and the scheduler class obtained."""

    ports: tuple[int, ...]
    scheduler: str


@dataclass(frozen=True, slots=True)
class Loading:
    """Once a second: the share of its time that the tick works, open slots, and late turns since the last, by cause."""

    busy: float
    slots: int
    late_own_work: int = 0
    late_steal: int = 0
    late_scheduler: int = 0


@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The first valid RTP packet, or the first after `NoMedia`."""


@dataclass(frozen=True, slots=True)
class Latched:
    """RTP comes from another address than the SDP said; we send there now."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed; once a press, at its start."""

    digit: str
    channel: str = "rfc4733"  # or "inband": as tones, by a far end that did not agree on the other


@dataclass(frozen=True, slots=True)
class Played:
    """A prompt is over; `heard_ms` of it went out."""

    play: int
    heard_ms: int
    why: str  # Stopped


@dataclass(frozen=True, slots=True)
class Sent:
    """The last of the digits to send is out."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The callee speaks; `t_ms` is when it began, counted in frames since `Listen`."""

    t_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The callee has stopped speaking; `t_ms` is when, counted as above (before this event by the hangover)."""

    t_ms: int


@dataclass(frozen=True, slots=True)
class NoMedia:
    """No RTP for 3 s, though we may expect some."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The slot is free again, with what went through it: packets, and what the stream was like, if known.

    `invalid` are all that came and were not the far end's media; the four after `mos` say why, except those that the
    kernel keeps away (of strangers, once the far end is known). `overflowed` ones came faster than they were read.
    """

    sent: int
    received: int
    lost: int
    invalid: int
    late: int = 0
    doubled: int = 0
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    remote_lost: int | None = None  # of ours, as the far end reports
    remote_jitter_ms: float | None = None
    mos: float | None = None  # the worse of both directions
    strangers: int = 0
    garbage: int = 0
    wrong_type: int = 0
    wrong_size: int = 0
    overflowed: int = 0
    one_way_audio: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a `Record`, told by the writer; it may follow `Closed` or `Faulted`."""

    path: str
    duration_ms: int
    state: str  # Saved
    why: str  # "" where it is saved
    started_at: float  # Unix seconds of the first sample


@dataclass(frozen=True, slots=True)
class Faulted:
    """The media process died or refused a command; no further event comes for this slot."""

    message: str


Command = Load | Open | Remote | Play | Stop | Listen | SendDigits | Bridge | Record | Close
SlotEvent = (
    MediaStarted | Latched | Digit | Played | Sent | SpeechStarted | SpeechEnded | NoMedia | Closed | Recorded | Faulted
)
Event = Ready | Loading | SlotEvent

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Load, Open, Remote, Play, Stop, Listen, SendDigits, Bridge, Record, Close,
        Ready, Loading, MediaStarted, Latched, Digit, Played, Sent, SpeechStarted, SpeechEnded, NoMedia,
        Closed, Recorded, Faulted,
    )
}  # fmt: skip


class Envelope(NamedTuple):
    """A message with its address: slot and its generation (-1, 0 where none is meant), and the time."""

    slot: int
    generation: int
    at: float
    body: Command | Event


def pack(envelope: Envelope) -> bytes:
    """One datagram."""
    slot, generation, at, body = envelope
    return json.dumps([type(body).__name__, slot, generation, at, *astuple(body)], separators=(",", ":")).encode()


def unpack(datagram: bytes) -> Envelope:
    """The message in a datagram; ValueError if it is none of ours."""
    try:
        kind, slot, generation, at, *fields = json.loads(datagram)
        body = KINDS[kind](*(tuple(field) if isinstance(field, list) else field for field in fields))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"not a message of the media boundary: {datagram[:80]!r}") from error
    return Envelope(slot, generation, at, body)
