"""CSV that Excel opens as it is: UTF-8 with its mark, semicolons where it is Russian; formulas are text. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from api.messages import RUSSIAN

MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A cell; what Excel would take for a formula begins with an apostrophe (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def lines(head: Iterable[str], parts: Iterable[Iterable[Iterable[object]]], language: str) -> Iterator[str]:
    """The file, a part at a time."""
    yield MARK + _written([head], language)
    for part in parts:
        yield _written(part, language)


def _written(rows: Iterable[Iterable[object]], language: str) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if language == RUSSIAN else ",")
    writer.writerows([cell(value) for value in row] for row in rows)
    return file.getvalue()
