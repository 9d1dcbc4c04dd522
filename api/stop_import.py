"""A list of numbers as people have it, a file or a pasted text, read line by line. Pure."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from api import phones
from api.fields import Unfit
from api.messages import Message

MAX_BYTES = 8 << 20
MAX_LINES = 100_000
MAX_COMMENT = 1000
_BORDERS = ";\t,"
_DIGITS = re.compile(r"[0-9]{1,11}")
_ORNAMENT = re.compile(r"[\s()+.\-\u2010-\u2015\u00a0]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the number that is meant, or what is wrong with it."""

    number: int  # counted from 1
    given: str
    phone: str
    comment: str
    problem: Message | None


def decoded(raw: bytes) -> str:
    """A file's text: UTF-8, UTF-16 with its mark, or else what Excel in Russian writes."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1251", errors="replace")


def lines(text: str) -> list[Line]:
    """The lines that say something, at most `MAX_LINES`. The number is the first cell, the comment the second one."""
    found: list[Line] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.replace("\0", "").splitlines(), 1):
        if not line.strip():
            continue
        if len(found) >= MAX_LINES:
            break
        given, comment = _cells(line)
        if number == 1 and not any(map(str.isdigit, given)):
            continue  # the names of the columns
        try:
            phone, problem = phones.normal(given.removeprefix("'")), None
        except Unfit as error:
            phone, problem = "", error.message
        if phone in seen and problem is None:
            problem = Message("stands in line {line} already", line=seen[phone])
        if problem is None:
            seen[phone] = number
        found.append(Line(number, given[:100], phone, comment[:MAX_COMMENT], problem))
    return found


def beginnings(text: str) -> list[str]:
    """What numbers begin with that somebody looks for: as it is, and as it is dialled in Russia."""
    digits = _ORNAMENT.sub("", text)
    if not _DIGITS.fullmatch(digits):
        return []
    if digits[0] == "8":
        return [f"7{digits[1:]}", digits]
    return [digits, f"7{digits}"] if digits[0] == "9" and len(digits) <= 10 else [digits]


def _cells(line: str) -> tuple[str, str]:
    borders = [mark for mark in line if mark in _BORDERS]
    if not borders:
        return line.strip().strip('"'), ""
    border = borders[0]  # behind the number, in which there is none; a comment may have the others
    try:
        cells = next(csv.reader([line], delimiter=border))
    except (csv.Error, StopIteration):
        cells = line.split(border)
    return cells[0].strip(), cells[1].strip() if len(cells) > 1 else ""
