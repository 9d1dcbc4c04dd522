"""The model of a call script: a graph of blocks. Frozen, hashable, free of files and positions.

What the words mean, and every default, is in `ivr/README.md`; `ivr.parser` makes a `Script` from YAML,
`ivr.menu` from the HTTP contract's `ivrs`, `ivr.interpreter` walks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Interrupt(StrEnum):
    """What stops a block's prompt."""

    NONE = "none"
    DIGITS = "digits"
    VOICE = "voice"
    ANY = "any"


DONE, INVALID, SILENCE, VOICE = "done", "invalid", "silence", "voice"  # outcomes that are no digits
ENDED, FAILED, BUSY, NO_ANSWER, REJECTED = "ended", "failed", "busy", "no_answer", "rejected"  # those of a transfer
FINER = frozenset((BUSY, NO_ANSWER, REJECTED))  # than `failed`, which stands in for them


@dataclass(frozen=True, slots=True)
class File:
    """A clip beside the script, by its path relative to the script's folder."""

    path: str


@dataclass(frozen=True, slots=True)
class Record:
    """A clip that the service stores, by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words to be spoken; marks of stress and pauses may stand in them."""

    text: str
    voice: str = "female"  # or "male"
    lang: str | None = None  # BCP 47; None lets the text tell


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    ms: int


PromptItem = File | Record | Text | Pause


@dataclass(frozen=True, slots=True)
class Gather:
    """Digits wanted after (or, where the interrupt allows it, during) the prompt. Times in ms."""

    min: int = 1
    max: int = 1
    terminator: str | None = "#"
    timeout_ms: int = 5000  # from the prompt's end to the first digit
    between_ms: int = 3000  # from one digit to the next
    tries: int = 1


class CallerId(StrEnum):
    """Whose number the manager sees."""

    OUTGOING = "outgoing"  # the one that the callee was called from
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class Transfer:
    """The callee is connected to the first manager who answers. `to` is digits without plus, tried in order."""

    to: tuple[str, ...]
    caller_id: CallerId = CallerId.OUTGOING
    ring_ms: int = 30_000  # each of them
    digits: str = ""  # pressed once the other side answers, for a menu there; a comma waits


@dataclass(frozen=True, slots=True)
class Block:
    """One step of a script. `on` maps outcomes to names of blocks; one it does not name hangs up."""

    name: str
    prompt: tuple[PromptItem, ...] = ()
    interrupt: Interrupt = Interrupt.NONE
    gather: Gather | None = None
    on: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    transfer: Transfer | None = None  # after the prompt; excludes `gather`

    def target(self, outcome: str) -> str | None:
        """The block that `outcome` leads to, None where the call is hung up."""
        on = dict(self.on)
        return on.get(outcome, on.get(FAILED) if outcome in FINER else None)


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds every script."""

    duration_ms: int = 600_000
    visits: int = 20  # of one block


@dataclass(frozen=True, slots=True)
class Script:
    """A call script whose targets all exist."""

    name: str
    start: str
    blocks: tuple[Block, ...]
    limits: Limits = field(default_factory=Limits)

    def block(self, name: str) -> Block:
        """The block of that name; KeyError if there is none."""
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)
