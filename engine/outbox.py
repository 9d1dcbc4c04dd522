"""What the machines of a call put out in one step, in order: orders, timers, and facts with their numbers."""

from __future__ import annotations

from typing import Any

from engine.orders import Fact, Output, SetTimer


class Outbox:
    """Shared by the call and its transfer, so that their facts are numbered in one row."""

    def __init__(self) -> None:
        self.at = 0.0  # Unix seconds of the step
        self._seq = 0
        self._outputs: list[Output] = []

    def begin(self, at: float) -> list[Output]:
        """A step begins; the list is what comes of it."""
        self.at, self._outputs = at, []
        return self._outputs

    def put(self, *outputs: Output) -> None:
        self._outputs += outputs

    def set_timer(self, name: str, seconds: float) -> None:
        """The timer fires so many seconds after this step's time."""
        self.put(SetTimer(name, self.at + seconds))

    def fact(self, kind: str, **data: Any) -> None:
        self._seq += 1
        self.put(Fact(self._seq, self.at, kind, data))
