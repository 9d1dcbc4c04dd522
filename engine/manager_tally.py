"""What a manager's leg amounts to: gathered while it goes on, and told in the result of the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine import disposition
from engine.disposition import Verdict


@dataclass(slots=True)
class ManagerTally:
    """What the leg amounts to. Times are Unix seconds."""

    to: str
    shown: str  # the number that the manager sees
    started_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    verdict: Verdict | None = None
    sip_code: int | None = None
    reason: str = ""

    def settle(self, verdict: Verdict, reason: str = "") -> None:
        """Decide how it ended; the first decision stands."""
        if self.verdict is None:
            self.verdict, self.reason = verdict, reason

    def as_dict(self) -> dict[str, Any]:
        """As the result of the call tells it."""
        verdict = self.verdict or disposition.BROKEN
        return {
            "to": self.to,
            "shown": self.shown,
            "started_at": self.started_at,
            "answered_at": self.answered_at,
            "ended_at": self.ended_at,
            "status": verdict.disposition.value,
            "sip_code": self.sip_code,
            "hangup_cause": verdict.cause,
        }
