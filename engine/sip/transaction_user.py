"""Who uses transactions (a leg, a registration), and what it may ask of the agent that keeps them. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from engine.events import SignallingEvent
from engine.sip.message import Address, Message
from engine.sip.transaction import Transaction, Transmit


class Start(NamedTuple):
    """Send a request of ours in a client transaction."""

    request: Message
    to: Address


class Reply(NamedTuple):
    """Answer in a server transaction."""

    transaction: Transaction
    response: Message


class Abandon(NamedTuple):
    """Give a request of ours up: an INVITE is not sent again but still listened for, another is forgotten."""

    request: Message


class SetTimer(NamedTuple):
    """Call `fired(timer)` at `at` (Unix seconds); replaces a timer of that name."""

    timer: Enum
    at: float


class StopTimer(NamedTuple):
    timer: Enum


class Emit(NamedTuple):
    event: SignallingEvent


Request = Start | Reply | Abandon | Transmit | SetTimer | StopTimer | Emit


class TransactionUser:
    """It is told what came, and when, and leaves what is to be done in `out`, which the agent drains.

    Once it is `over` it only cleans up, and is forgotten with its last transaction.
    """

    def __init__(self, name: str, call_id: str, local_tag: str) -> None:
        self.name = name
        self.call_id = call_id
        self.local_tag = local_tag
        self.out: list[Request] = []
        self.over = False
        self._timers: set[Enum] = set()

    @property
    def timers(self) -> int:
        """How many timers of its own are set."""
        return len(self._timers)

    def heard(self, request: Message, answer: Message, source: Address, now: float) -> None:
        """A response to a request of ours."""

    def unheard(self, request: Message, now: float) -> None:
        """Nothing came in answer to a request of ours."""

    def requested(self, request: Message, transaction: Transaction, now: float) -> None:
        """A request inside a dialog (not ACK, not CANCEL)."""

    def acknowledged(self, ack: Message, now: float) -> None:
        """The ACK of a 2xx of ours."""

    def cancelled(self, transaction: Transaction, cancel: Message, now: float) -> None:
        """A CANCEL of an INVITE of the peer; it has had its own 200."""

    def fired(self, timer: Enum, now: float) -> None:
        """A timer of its own ran out. The first line of every override is `super().fired(timer, now)`."""
        self._timers.discard(timer)

    def crashed(self, now: float) -> None:
        """A fault of ours happened in it: end, in words that do not depend on its state."""

    def _set(self, timer: Enum, at: float) -> None:
        self._timers.add(timer)
        self.out.append(SetTimer(timer, at))

    def _stop(self, timer: Enum) -> None:
        if timer in self._timers:
            self._timers.discard(timer)
            self.out.append(StopTimer(timer))
