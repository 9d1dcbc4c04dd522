"""Tables as CSV, written while they are read, so that a long one needs no memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from starlette.responses import Response, StreamingResponse

from api.messages import RUSSIAN

BOM = "\ufeff"  # without which Excel takes UTF-8 for the system's old encoding
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def response(name: str, language: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file to download."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    told = lines(head, rows, language)
    return StreamingResponse(told, headers=headers, media_type="text/csv; charset=utf-8")


def lines(head: Sequence[str], rows: Iterable[Sequence[object]], language: str) -> Iterator[str]:
    """The file, a line at a time. Excel in Russian takes semicolons for the borders of columns."""
    yield BOM
    for row in chain([head], rows):
        line = io.StringIO()
        csv.writer(line, delimiter=";" if language == RUSSIAN else ",").writerow([cell(value) for value in row])
        yield line.getvalue()


def cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is given an apostrophe (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
