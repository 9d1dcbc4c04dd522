"""What the service says to people, in Russian or English: one catalogue, `api/locale/ru.po`, keyed by the English text.

A message is made where something is found out, and put into words where the reply is written: only there it is known
which language was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

RUSSIAN, ENGLISH = "ru", "en"
CATALOGUE = Path(__file__).parent / "locale" / "ru.po"
_WISH = re.compile(r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")


class Message:
    """A sentence with its values: `Message("is longer than {most} characters", most=200)`.

    A value that is itself a message is put into the same language.
    """

    __slots__ = ("template", "values")

    def __init__(self, template: str, **values: Any) -> None:
        self.template = template
        self.values = values

    def render(self, language: str) -> str:
        """The sentence in that language (English where the catalogue has none)."""
        said = in_language(self.template, language)
        if not self.values:
            return said.replace("{{", "{").replace("}}", "}")
        return said.format(**{
            name: value.render(language) if isinstance(value, Message) else value for name, value in self.values.items()
        })  # fmt: skip

    def __str__(self) -> str:
        return self.render(ENGLISH)

    def __repr__(self) -> str:
        return f"Message({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.template, self.values) == (other.template, other.values)

    def __hash__(self) -> int:
        return hash(str(self))


def language_of(accept_language: str) -> str:
    """The language to answer in, by the header `Accept-Language` (RFC 9110 section 12.5.4): Russian where none is
    asked for, English where only others are."""
    wishes: dict[str, float] = {}
    for part in accept_language.split(",", 20)[:20]:
        wish = _WISH.fullmatch(part)
        if wish is not None:
            wishes.setdefault(wish[1].lower(), float(wish[2] or 1))
    if not any(wishes.values()):
        return ENGLISH if RUSSIAN in wishes else RUSSIAN
    order = [*wishes, RUSSIAN, ENGLISH]  # of two that are wished alike, the one that was named first
    weight, _, best = max((wishes.get(one, wishes.get("*", 0.0)), -order.index(one), one) for one in (RUSSIAN, ENGLISH))
    return best if weight else ENGLISH


def in_language(template: str, language: str) -> str:
    """A template as it is in that language, its places still empty."""
    return _russian().get(template, template) if language == RUSSIAN else template


@cache
def _russian() -> Mapping[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id and entry.string}
