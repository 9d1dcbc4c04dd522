"""The seam between texts and synthesisers: which voices there are, and the command that makes a voice say words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final, Protocol

from engine.speech.marks import Words, word_bounds

DROPPED: Final = (
    "dropped"  # a file that a command may leave in its folder: JSON, the marks it could not honour after all
)


class Gender(IntEnum):
    """The numbers are those of the HTTP contract."""

    FEMALE = 0
    MALE = 1


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a synthesiser. `name` is unique; `language` a BCP 47 tag."""

    name: str
    language: str
    gender: Gender
    stresses: str = ""  # the vowels, in lower case, whose marks it honours; of others it decides itself

    def honoured(self, words: Words) -> tuple[int, ...]:
        """The marks that it honours: the first in each word, if it knows them on that vowel."""
        firsts = {word_bounds(words.text, at): at for at in reversed(words.stressed)}.values()
        return tuple(sorted(at for at in firsts if words.text[at].lower() in self.stresses))

    def dropped(self, words: Words) -> tuple[int, ...]:
        """The marks that it does not honour."""
        return tuple(sorted({*words.stressed} - {*self.honoured(words)}))


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run. Texts come in `stdin` only, so that none of them can be an option or a shell's business."""

    argv: tuple[str, ...]
    stdin: bytes


class Synthesiser(Protocol):
    """A program that speaks. Finding its voices may read files; rendering a command is pure."""

    def voices(self) -> Sequence[Voice]:
        """What it can speak with here, its best voice of each language and gender first; nothing if it is not there."""

    def command(self, voice: Voice, words: Words, target: Path) -> Command:
        """Says `words` into the WAV file `target`."""


def primary(language: str) -> str:
    """The language without its region: `ru` of `ru-RU`."""
    return language.replace("_", "-").split("-")[0].lower()
