"""What the control side tells the writer: what became of others. One order is one SEQPACKET datagram, JSON."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Forsake:
    """The media process of this recording is no more."""

    row: int
    generation: int
    why: str


@dataclass(frozen=True, slots=True)
class Recover:
    """The writer of this recording is no more: finish what it left."""

    row: int
    generation: int
    path: str
    started_at: float
    why: str


Order = Forsake | Recover
_KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in (Forsake, Recover)}


def pack(order: Order) -> bytes:
    """One datagram."""
    return json.dumps([type(order).__name__, *astuple(order)], separators=(",", ":")).encode()


def unpack(datagram: bytes) -> Order:
    """The order in a datagram that `pack` made."""
    kind, *fields = json.loads(datagram)
    order: Order = _KINDS[kind](*fields)
    return order
