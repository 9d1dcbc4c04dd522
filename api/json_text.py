"""JSON text of a request, read strictly; what is wrong with it is said in the reader's language."""

from __future__ import annotations

import json
from typing import Any

from api.messages import Message
from api.problems import Code
from api.refusal import Refusal

# The sentences of `json.decoder` and its C twin, by how they begin; Python's versions differ in the rest.
_REASONS = (
    ("Expecting value", Message("a value is missing")),
    ("Expecting property name", Message("a field's name in double quotes is missing")),
    ("Expecting ':'", Message("a colon is missing")),
    ("Expecting ','", Message("a comma is missing")),
    ("Illegal trailing comma", Message("a comma is too many")),
    ("Extra data", Message("something follows the end")),
    ("Unterminated string", Message("a text has no closing quote")),
    ("Invalid control character", Message("a text holds a line break or another control character")),
    ("Invalid \\", Message("a backslash stands before what it cannot stand before")),
)


class _NoNumber(ValueError):
    """`NaN`, `Infinity`: Python's decoder takes them, JSON has none."""


def load(text: str, most_deep: int) -> Any:
    """The value. Raises Refusal."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError as error:
        raise Refusal(Code.BODY_INVALID, "The body is nested more than {most} deep", most=most_deep) from error
    except json.JSONDecodeError as error:
        raise Refusal(
            Code.BODY_UNREADABLE,
            "The body is not JSON: {reason}, line {line}, column {column}",
            reason=_reason(error.msg),
            line=error.lineno,
            column=error.colno,
        ) from error
    except _NoNumber as error:
        raise Refusal(Code.BODY_UNREADABLE, "The body is not JSON: {name} is no number", name=str(error)) from error
    except ValueError as error:  # more digits than Python makes an integer of
        raise Refusal(Code.BODY_UNREADABLE, "The body is not JSON that can be read: a number is too long") from error


def _reason(said: str) -> Message:
    for beginning, message in _REASONS:
        if said.startswith(beginning):
            return message
    return Message("it breaks off or is damaged")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):  # which of the two is meant nobody knows (RFC 8259 section 4)
        twice = next(name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index]))
        raise Refusal(Code.BODY_INVALID, "The field {name!r} stands twice in one object", name=twice[:50])
    return made


def _no_constant(name: str) -> Any:
    raise _NoNumber(name)
