"""The numbers of the sandbox, and in the reader's words what happens there. The table itself is the engine's."""

from __future__ import annotations

from typing import NamedTuple

from api.messages import Message
from engine.sandbox.subscribers import SUBSCRIBERS

BEFORE = "79990000"  # any number will do; its last three digits decide


class Speaker(NamedTuple):
    """One that can be called."""

    phone: str
    does: Message


_DOES = {
    "001": Message("answers, says hello, presses 1 after 3 s"),
    "002": Message("an answering machine with a beep"),
    "003": Message("is busy"),
    "004": Message("rings and rings, nobody answers"),
    "005": Message("declines after 3 s"),
    "006": Message("answers and is silent"),
    "007": Message("hangs up in the middle of the clip"),
    "008": Message("interrupts by voice after 1.2 s"),
    "009": Message("presses 9, then 1"),
    "010": Message("there is no such number"),
    "011": Message("the line is overloaded"),
    "012": Message("a tune before the answer, then a person who presses 1"),
    "015": Message("a manager who answers and talks"),
    "016": Message("a manager who is busy"),
}


def speakers() -> list[Speaker]:
    """All of the engine's table; what is new there is told in the engine's own words."""
    return [
        Speaker(BEFORE + digits, _DOES[digits] if digits in _DOES else Message("{does}", does=one.does))
        for digits, one in SUBSCRIBERS.items()
    ]
