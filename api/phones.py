"""Telephone numbers as the contract takes them: eleven digits, however people write them."""

from __future__ import annotations

import re
from typing import Any

from api.fields import Unfit, empty, structured
from api.kinds import MAX_PHONES
from api.problems import Code

# Blanks, brackets, dots, dashes, and the marks of direction that come along when a number is copied from a page.
_ORNAMENT = re.compile(r"[\s()\-.\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_OF_TABLE = re.compile(r"\s*(\+?[0-9]+)\.0\s*")  # so a column of numbers with an empty cell is written


def normal(value: Any) -> str:
    """Eleven digits without plus; a leading 8 is the Russian way to dial out and becomes 7. Raises Unfit."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unfit("is no telephone number: give 11 digits, for example 79991234567", Code.PHONE_INVALID)
    text = str(value)
    of_table = _OF_TABLE.fullmatch(text)
    digits = _ORNAMENT.sub("", of_table[1] if of_table else text).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise Unfit("is no telephone number: give 11 digits, for example 79991234567", Code.PHONE_INVALID)
    if len(digits) != 11:
        raise Unfit("is no telephone number: it has {count} digits and needs 11", Code.PHONE_INVALID, count=len(digits))
    if digits[0] == "0":
        raise Unfit("is no telephone number: it begins with 0 instead of the country's code", Code.PHONE_INVALID)
    return f"7{digits[1:]}" if digits[0] == "8" else digits


def listed(value: Any) -> list[Any]:
    """One number, an array, an object, or numbers with commas between, as a list; [] of nothing."""
    value = structured(value)
    if empty(value):
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str):
        value = [part for part in re.split(r"[,;\n]", value) if part.strip()]
    numbers: list[Any] = value if isinstance(value, list) else [value]
    if len(numbers) > MAX_PHONES:
        raise Unfit("holds {count} numbers; at most {most} go into one request", count=len(numbers), most=MAX_PHONES)
    return numbers


def shown(value: Any) -> str:
    """A number that is refused, as it was given."""
    return (value if isinstance(value, str) else str(value))[:100]
