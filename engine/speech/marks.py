"""Reads the marks in a text: `+о`, `<<<о` and `о>>>` stress a vowel, `<->` is a pause. Text in, pieces out.

What is no word comes out as blanks: control characters, emoji, halves of surrogate pairs, tags of XML and SSML, and the
characters that synthesisers take for commands of their own. So a piece can be given to any of them as plain text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from engine.speech.error import SpeechError

MAX_CHARACTERS: Final = 5000
PAUSE_MS: Final = 500  # of one `<->`
MAX_PAUSE_MS: Final = 10_000  # of several in a row
MAX_PAUSES: Final = 40  # places with a pause: the text between them is spoken part by part

RUSSIAN_VOWELS: Final = "аеёиоуыэюя"
VOWELS: Final = frozenset(
    both for vowel in RUSSIAN_VOWELS + "іїє" + "aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ" for both in (vowel, vowel.upper())
)
ACUTE: Final = "\u0301"  # how printed Russian marks stress: a combining mark after the vowel

_VOWEL = re.compile(rf"(?P<before>(?:<<<|\+)*)(?P<vowel>[{''.join(sorted(VOWELS))}])(?P<behind>(?:>>>|{ACUTE})*)")
_ATTRIBUTE = r"""\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*')"""
_TAG = re.compile(rf"<!--.*?-->|<[?!][^<>]*>|</?[A-Za-z][\w:.-]*(?:{_ATTRIBUTE})*\s*/?>", re.DOTALL)
_PAUSE = "<->"
_COMMANDS = frozenset("<>[]{}|\\`^~")  # espeak-ng's and piper's phonemes, SSML
_WORD_MARKS = ("Mn", "Mc")
_PICTURES_FROM = "\u2190"  # symbols below it (№, °, ©) are spoken
_JOINERS = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff")  # seen by nobody, spoken by nobody


@dataclass(frozen=True, slots=True)
class Words:
    """A part without a pause in it. `stressed` are the indices of the marked vowels in `text`, ascending."""

    text: str
    stressed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    ms: int


Piece = Words | Pause


def read(text: str) -> tuple[Piece, ...]:
    """The pieces of a text, pauses never two in a row. SpeechError: too long, without a word, too many pauses."""
    if len(text) > MAX_CHARACTERS:
        raise SpeechError("text_too_long", characters=len(text), limit=MAX_CHARACTERS)
    pieces: list[Piece] = []
    for index, part in enumerate(text.split(_PAUSE)):
        if index:
            _add_pause(pieces)
        words = _words(part)
        if any(map(str.isalnum, words.text)):
            pieces.append(words)
    if not any(isinstance(piece, Words) for piece in pieces):
        raise SpeechError("text_has_no_word")
    pauses = sum(isinstance(piece, Pause) for piece in pieces)
    if pauses > MAX_PAUSES:
        raise SpeechError("too_many_pauses", pauses=pauses, limit=MAX_PAUSES)
    return tuple(pieces)


def plain(pieces: tuple[Piece, ...]) -> str:
    """The text without any mark, for people to read."""
    return " ".join(piece.text for piece in pieces if isinstance(piece, Words))


def marked_word(words: Words, at: int) -> str:
    """The word around the vowel at `at`, with its mark: `з+амок`."""
    begin, end = word_bounds(words.text, at)
    return f"{words.text[begin:at]}+{words.text[at:end]}"


def word_bounds(text: str, at: int) -> tuple[int, int]:
    """Where the word with the character at `at` begins and ends."""
    begin, end = at, at + 1
    while begin > 0 and _in_word(text[begin - 1]):
        begin -= 1
    while end < len(text) and _in_word(text[end]):
        end += 1
    return begin, end


def _in_word(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character) in _WORD_MARKS


def _add_pause(pieces: list[Piece]) -> None:
    if pieces and isinstance(pieces[-1], Pause):
        pieces[-1] = Pause(min(pieces[-1].ms + PAUSE_MS, MAX_PAUSE_MS))
    else:
        pieces.append(Pause(PAUSE_MS))


def _words(part: str) -> Words:
    seen = "".join(character for character in _TAG.sub(" ", part) if character not in _JOINERS)
    source = unicodedata.normalize("NFC", seen)
    text = ""
    stressed: list[int] = []
    at = 0
    for match in _VOWEL.finditer(source):
        text = _joined(text, source[at : match.start()])
        if match["before"] or match["behind"]:
            stressed.append(len(text))
        text += match["vowel"]
        at = match.end()
    return Words(_joined(text, source[at:]).rstrip(), tuple(stressed))


def _joined(text: str, more: str) -> str:
    """Both, with one blank where there are some, and none at the beginning."""
    spoken = "".join(map(_spoken, more))
    blank = " " if spoken[:1] == " " and text[-1:] not in ("", " ") else ""
    return text + blank + " ".join(spoken.split()) + (" " if spoken.strip() and spoken[-1] == " " else "")


def _spoken(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _COMMANDS or kind[0] in "CZ" or kind == "Sk":
        return " "
    if kind == "So" and character >= _PICTURES_FROM:
        return " "
    return character
