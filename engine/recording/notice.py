"""What the media process tells the writer beside the frames: where recordings begin and end among them.

One notice is one SEQPACKET datagram, JSON: `[kind, position, fields...]`. All frames before `position` are there.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Begin:
    """A recording of a slot's use; its frames follow."""

    position: int
    row: int
    generation: int
    path: str
    started_at: float  # Unix seconds


@dataclass(frozen=True, slots=True)
class Frames:
    """There are frames."""

    position: int


@dataclass(frozen=True, slots=True)
class End:
    """The recording is over; so many frames it should have."""

    position: int
    row: int
    generation: int
    frames: int


Notice = Begin | Frames | End
_KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in (Begin, Frames, End)}


def pack(notice: Notice) -> bytes:
    """One datagram."""
    return json.dumps([type(notice).__name__, *astuple(notice)], separators=(",", ":")).encode()


def unpack(datagram: bytes) -> Notice:
    """The notice in a datagram that `pack` made."""
    kind, *fields = json.loads(datagram)
    notice: Notice = _KINDS[kind](*fields)
    return notice
