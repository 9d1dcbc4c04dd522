"""What each kind of field takes, as JSON Schema; the validators read by the same patterns and bounds.

The contract is loose: a number and its string are the same, 0/1 and false/true likewise, an empty value is none. A
schema here says so: what it allows is taken and what it forbids is refused, as far as one value can tell. That an array
or object may also come as JSON text, or in brackets, is a matter of the body's form, and is not repeated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, WithJsonSchema

Schema = dict[str, Any]

MAX_INTEGER = 10**15 - 1  # fifteen digits: what every JSON reader holds exactly, and a pattern can say
MAX_IDS = 5000
MAX_PHONES = 20_000
MAX_URL = 2000
MAX_PARAMETERS = 20_000
SHORT = 200
MAX_HEADERS, MAX_HEADER = 100, 2000
MAX_COMMENT = 2000
LEAST_DELAY, MOST_DELAY = 2, 1440  # minutes
MOST_TIMEOUT_S = 300

BLANKS = r"[ \t\r\n]*"
WHOLE = r"(?:0|-?[1-9][0-9]{0,14})"
CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?"
HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # RFC 9110 section 5.6.2
HEADER_VALUE = r"[\t -~]*"
OUR_HEADERS = (
    "connection", "content-encoding", "content-length", "content-type", "expect", "host", "te", "trailer",
    "transfer-encoding", "upgrade", "webhook-id", "webhook-signature", "webhook-timestamp",
)  # fmt: skip
OFF_WORDS = ("0", "false", "False", "FALSE", "off", "no", "null")
ON_WORDS = ("1", "true", "True", "TRUE", "on", "yes")
GENDERS = {"0": 0, "female": 0, "1": 1, "male": 1}

_LABEL = "[0-9A-Za-z_\u0401\u0410-\u044f\u0451-]+"
_PORT = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_REST = r"(?:[/?#][^\u0000-\u0020\u007f]*)?"
# A host that is an IPv6 address in brackets is taken too; whether it is one, no pattern tells.
_URL = rf"^https?://(?:[!$%&'()*+,.0-9:;=A-Z_a-z~-]+@)?{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?{_REST}$"
_ORNAMENT = r"[ ().-]*"
_PHONE = rf"{_ORNAMENT}\+?{_ORNAMENT}[1-9](?:{_ORNAMENT}[0-9]){{10}}{_ORNAMENT}"
_DELAY = "(?:0|[2-9]|[1-9][0-9]{1,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)"
_TIMEOUT = "(?:[0-9]|[1-9][0-9]|[12][0-9]{2}|300)"
_NO_NUL = r"^[^\u0000]*$"
_NUMBER: Schema = {"type": "number", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}


def of_kind(name: str) -> WithJsonSchema:
    """Beside a validator: its values are of that kind. `api.openapi` makes a reference of it."""
    assert name in SCHEMAS, name
    return WithJsonSchema({"x-kind": name})


def needs(*ways: dict[str, Schema]) -> ConfigDict:
    """Of a model: the fields that must be there, and what they must hold; with several ways, those of any of them."""
    return ConfigDict(json_schema_extra={"x-needs": list(ways)})


def ref(name: str) -> Schema:
    """A reference to a kind."""
    return {"$ref": f"#/components/schemas/{name}"}


def _any(description: str, *schemas: Schema) -> Schema:
    return {"description": description, "anyOf": list(schemas)}


def _words(pattern: str, **more: Any) -> Schema:
    return {"type": "string", "pattern": f"^{BLANKS}{pattern}{BLANKS}$", **more}


def _whole(least: int, most: int, pattern: str = WHOLE) -> Sequence[Schema]:
    return {"type": "integer", "minimum": least, "maximum": most}, _words(pattern)


_NOTHING = ref("Nothing")
_TEXT: Schema = {"type": "string", "pattern": _NO_NUL}
_IDS_TEXT = _words(rf"[ \t\r\n,]*{WHOLE}(?:[ \t\r\n,]+{WHOLE})*[ \t\r\n,]*")
_DAY: Schema = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 7}, _words("[1-7]")]}
_HEADERS: Schema = {
    "type": "object",
    "propertyNames": {"pattern": f"^{HEADER_NAME}$", "not": {"enum": list(OUR_HEADERS)}},
    "additionalProperties": {
        "anyOf": [{"type": "string", "pattern": f"^{HEADER_VALUE}$", "maxLength": MAX_HEADER}, _NUMBER, ref("Nothing")]
    },
    "maxProperties": MAX_HEADERS,
}
_SOME_IDS = [
    {"type": "array", "items": ref("Whole"), "minItems": 1, "maxItems": MAX_IDS},
    ref("Whole"),
    _IDS_TEXT,
    {"type": "object", "additionalProperties": ref("Whole"), "minProperties": 1, "maxProperties": MAX_IDS},
]
_SOME_PHONES = [
    {"type": "array", "contains": ref("Phone"), "minItems": 1, "maxItems": MAX_PHONES},
    ref("Phone"),
    {"type": "string", "pattern": f"^{_PHONE}(?:[,;\\n]{_PHONE})*$"},
    {"type": "object", "additionalProperties": ref("Phone"), "minProperties": 1, "maxProperties": MAX_PHONES},
]

SCHEMAS: dict[str, Schema] = {
    "Nothing": {"description": "Nothing is given: the field counts as left out.", "enum": [None, "", [], {}]},
    "Whole": _any("A whole number of at most 15 digits, or its text.", *_whole(-MAX_INTEGER, MAX_INTEGER)),
    "Integer": _any("A whole number, its text, or nothing.", ref("Whole"), _NOTHING),
    "Words": _any("A text, not empty; a number counts as its text.", _TEXT | {"minLength": 1}, _NUMBER),
    "Text": _any("A text; a number counts as its text.", _TEXT, _NUMBER, _NOTHING),
    "ShortText": _any(f"A text of at most {SHORT} characters.", _TEXT | {"maxLength": SHORT}, _NUMBER, _NOTHING),
    "ShortWords": _any(
        f"A text of 1 to {SHORT} characters.", _TEXT | {"minLength": 1, "maxLength": SHORT}, _NUMBER
    ),
    "Off": {
        "description": "Not available yet: may be left out or off, and nothing else.",
        "enum": [0, False, *OFF_WORDS, None, "", [], {}],
    },
    "Flag": {
        "description": "0 or 1, in the ways in which clients say so; nothing is 0.",
        "enum": [0, 1, False, True, *OFF_WORDS, *ON_WORDS, None, "", [], {}],
    },
    "Gender": {
        "description": "The voice: 0 female, 1 male; nothing is 0.",
        "enum": [0, 1, *GENDERS, None, "", [], {}],
    },
    "Time": _any("Unix seconds; 0 is nothing.", *_whole(0, MAX_INTEGER, "(?:0|[1-9][0-9]{0,14})"), _NOTHING),
    "Clock": _any("A time of the day.", _words(f"(?:{CLOCK})", examples=["09:30"]), _NOTHING),
    "Weekdays": _any(
        "Days of the week, 1 (Monday) to 7.",
        {"type": "array", "items": _DAY, "minItems": 1, "examples": [[1, 2, 3, 4, 5]]},
        _DAY,
        _words(rf"[1-7](?:{BLANKS},{BLANKS}[1-7])*"),
        {"type": "object", "additionalProperties": _DAY, "minProperties": 1},
        _NOTHING,
    ),
    "Delay": _any(
        f"Minutes, {LEAST_DELAY} to {MOST_DELAY}; 0 is nothing.",
        {"type": "integer", "minimum": LEAST_DELAY, "maximum": MOST_DELAY},
        {"const": 0},
        _words(_DELAY),
        _NOTHING,
    ),
    "Timeout": _any(
        f"Seconds, 1 to {MOST_TIMEOUT_S}; 0 is the default.", *_whole(0, MOST_TIMEOUT_S, _TIMEOUT), _NOTHING
    ),
    "Url": _any(
        "An address that begins with http:// or https://.",
        {"type": "string", "pattern": _URL, "maxLength": MAX_URL, "examples": ["https://crm.example/called"]},
        _NOTHING,
    ),
    "ObjectText": _any(
        "An object, as JSON text or as it is.",
        {
            "type": "string", "contentMediaType": "application/json", "contentSchema": {"type": "object"},
            "pattern": rf"^{BLANKS}(?:\{{[^\u0000]*\}}|\[{BLANKS}\]){BLANKS}$", "maxLength": MAX_PARAMETERS,
            "examples": ['{"order": 15}'],
        },
        {"type": "object"},
        _NOTHING,
    ),
    "Headers": _any(
        "Headers of HTTP by their names; those that the service sets itself are refused.",
        _HEADERS,
        _NOTHING,
    ),
    "SomeIds": _any(f"1 to {MAX_IDS} ids, also as a text with commas between.", *_SOME_IDS),
    "Ids": _any(f"At most {MAX_IDS} ids, also as a text with commas between.", *_SOME_IDS, _NOTHING),
    "Phone": _any(
        "A telephone number: 11 digits with the country's code; blanks, brackets, dashes and a plus do not matter.",
        {"type": "string", "pattern": f"^{_PHONE}$", "examples": ["79991234567"]},
        {"type": "integer", "minimum": 10**10, "maximum": 10**11 - 1},
    ),
    "SomePhones": _any(
        "One or more telephone numbers. One that is none is refused by its own element of the reply.", *_SOME_PHONES
    ),
    "Callees": {"description": "Telephone numbers in any form; see what the method needs of them."},
    "Clip": _any("A clip, or the number of a record.", ref("RecordFields"), ref("Whole"), _NOTHING),
    "SomeClip": _any(
        "A clip, or the number of a record.",
        {
            "allOf": [ref("RecordFields")],
            "anyOf": [
                {"required": ["id"], "properties": {"id": ref("Whole")}},
                {"required": ["text"], "properties": {"text": ref("Words")}},
            ],
        },
        ref("Whole"),
    ),
    "Menu": _any(
        "The choices of a menu; each digit once.",
        {"type": "array", "items": ref("Block"), "maxItems": 12},
        {"type": "object", "additionalProperties": ref("Block"), "maxProperties": 12},
        _NOTHING,
    ),
    "Outgoing": _any(
        "One of the account's numbers, as `getPhones` lists them; 0, false or nothing: none.",
        ref("Phone"), {"type": "string", "pattern": "^[0-9]{1,30}$"}, {"enum": [0, False]}, _NOTHING,
    ),
    "Variables": _any(
        "Values by the names of variables.",
        {"type": "object", "additionalProperties": ref("Text")},
        _NOTHING,
    ),
    "Digit": {
        "description": "A key of the telephone.",
        "enum": [*range(10), *"0123456789*#"],
    },
    "Source": {"enum": ["file", "text", "saved", None, "", [], {}]},
    "Kind": {"enum": ["account", "record"]},
    "SomeComment": _any(
        f"A text of at most {MAX_COMMENT} characters, and not of blanks alone.",
        {"type": "string", "pattern": r"^[^\u0000]*[!-~\u0410-\u044f][^\u0000]*$", "maxLength": MAX_COMMENT}, _NUMBER,
    ),
    "Comment": _any(f"A text of at most {MAX_COMMENT} characters.", _TEXT | {"maxLength": MAX_COMMENT}, _NUMBER, _NOTHING),
}  # fmt: skip
