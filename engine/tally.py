"""What a call amounts to: gathered while it runs, and told once, as its result."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from engine.disposition import Disposition, EndedBy, Verdict
from engine.manager_tally import ManagerTally
from engine.media.wire import Closed


@dataclass(slots=True)
class Tally:
    """The counts and times of one call. Times are Unix seconds."""

    to: str
    outgoing: str
    trunk: str
    started_at: float | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    left_at: float | None = None  # when the callee's leg was over
    digits: str = ""
    answers: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    heard_ms: int = 0
    no_media: bool = False
    recording: dict[str, Any] | None = None
    manager: ManagerTally | None = None  # who answered last, or was called last
    media: Closed | None = None  # the media process's last word; None: it did not come
    verdict: Verdict | None = None
    sip_code: int | None = None
    reason: str = ""

    def settle(self, verdict: Verdict, sip_code: int | None = None, reason: str = "") -> None:
        """Decide how the call ended; the first decision stands."""
        if self.verdict is None:
            self.verdict, self.sip_code, self.reason = verdict, sip_code, reason

    def manager_was(self, manager: ManagerTally) -> None:
        """A transfer is over; a manager who answered is not forgotten for one who did not."""
        if self.manager is None or self.manager.answered_at is None or manager.answered_at is not None:
            self.manager = manager

    def result(self, at: float) -> dict[str, Any]:
        """The fields of the `ended` fact."""
        verdict = self.verdict or Verdict(Disposition.INTERNAL_ERROR, 41, EndedBy.US)
        ended_at = self.left_at or at
        answered_for = ended_at - self.answered_at if self.answered_at is not None else 0.0
        return {
            "disposition": verdict.disposition.value,
            "sip_code": self.sip_code,
            "hangup_cause": verdict.cause,
            "ended_by": verdict.ended_by.value,
            "reason": self.reason,
            "to": self.to,
            "outgoing": self.outgoing,
            "trunk": self.trunk,
            "digits": self.digits,
            "answers": list(self.answers),
            "path": list(self.path),
            "tags": list(self.tags),
            "heard_ms": self.heard_ms,
            "no_media": self.no_media,
            "recording": self.recording,
            "manager": self.manager.as_dict() if self.manager else None,
            "media": _told(self.media),
            "started_at": self.started_at,
            "ringing_at": self.ringing_at,
            "answered_at": self.answered_at,
            "ended_at": ended_at,
            "duration_ms": round(answered_for * 1000),
        }


def _told(media: Closed | None) -> dict[str, Any] | None:
    """Statistics of the callee's leg: packets, milliseconds, MOS; null where nothing is known."""
    if media is None:
        return None
    told = asdict(media)
    reasons = ("strangers", "garbage", "wrong_type", "wrong_size", "overflowed")
    return {name: value for name, value in told.items() if name not in reasons} | {
        "dropped": {name: told[name] for name in reasons}
    }
