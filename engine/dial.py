"""What one asks of the engine: a call, and the errors that come before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr.model import Script


class DialError(Exception):
    """The call cannot be made as asked; nothing was dialled. One line: what is wrong, and the remedy."""


class Fenced(Exception):
    """The fence did not open: somebody else has this call, or it was called off. Nothing was dialled."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One call that is wanted."""

    to: str  # 3 to 15 digits, a plus is allowed
    script: Script | str | Path  # a script, or the file of one
    outgoing: str | None = None  # the number of ours to call from; default: the first of the trunk
    trunk: str | None = None  # default: the one that has `outgoing`, else the first
    timeout_s: float = 30.0  # how long to ring
    detect_end_of_speech: bool = False  # wait for the end of the callee's greeting before the first prompt
    journal: Path | None = None
    record_to: Path | None = None  # .wav or .ogg; its folder is there. A file of that name is replaced
    id: str | None = None
    records: Mapping[str, Path] = field(default_factory=dict)  # audio files of the script's `record` prompts


def digits_of(number: str) -> str:
    """The number without plus; DialError if it is none."""
    digits = number.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 15):
        raise DialError(f"{number!r} is no telephone number; give 3 to 15 digits, a plus is allowed")
    return digits
