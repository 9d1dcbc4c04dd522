"""The languages that voices speak, by name: each in its own language, Russian first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from engine.speech.voice import primary

CYRILLIC: Final = range(0x400, 0x530)


@dataclass(frozen=True, slots=True)
class Language:
    """A BCP 47 tag and what speakers of it call the language."""

    code: str
    name: str


def listed(tags: Iterable[str]) -> list[Language]:
    """Each language once, Russian first, then by name. A dialect that has no name of its own is left out."""
    named = {tag: _name(tag) for tag in tags}
    known = [tag for tag, name in named.items() if tag == primary(tag) or (name and tag.count("-") == 1)]
    found = [Language(tag, named[tag] or _name(primary(tag)) or tag) for tag in known]
    return sorted(found, key=lambda language: (primary(language.code) != "ru", language.name.casefold(), language.code))


def of_text(text: str) -> str:
    """The language of a text that nobody names: Russian if there is a Cyrillic letter in it, else English."""
    return "ru" if any(ord(character) in CYRILLIC for character in text) else "en"


def _name(tag: str) -> str | None:
    from babel import Locale, UnknownLocaleError  # slow to load, and a call needs no names

    try:
        return Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        return None
