"""One press is one digit, whichever channel brought it, and by however many.

A peer may report each key both as RFC 4733 event and as SIP INFO. A report from one channel is the same press as a
recent one of the same key that another channel brought and this one has not yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# INFO is commonly sent when the key is let go, RFC 4733 reports when it goes down: a long press lies between them.
SAME_PRESS_S = 2.0


@dataclass(slots=True)
class _Press:
    digit: str
    at: float
    channels: set[str]


@dataclass(slots=True)
class Presses:
    """The presses of one call so far."""

    recent: list[_Press] = field(default_factory=list)

    def report(self, at: float, digit: str, channel: str) -> bool:
        """A channel reports a key; true when that is a press not known yet."""
        self.recent = [press for press in self.recent if at - press.at <= SAME_PRESS_S]
        for press in self.recent:
            if press.digit == digit and channel not in press.channels:
                press.channels.add(channel)
                return False
        self.recent.append(_Press(digit, at, {channel}))
        return True
