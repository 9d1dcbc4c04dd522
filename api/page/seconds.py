"""A length of time inside a sentence."""

from __future__ import annotations

from api.messages import Message
from api.page.formats import duration


class Seconds(Message):
    """As the language writes it: `4.2 s`, `4,2 с`, `1:05`."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = max(0.0, seconds)
        self.template, self.values = "", {"seconds": self.seconds}

    def render(self, language: str) -> str:
        """As `formats.duration`."""
        return duration(self.seconds, language)
