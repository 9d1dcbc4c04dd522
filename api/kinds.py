"""What each kind of field takes, as JSON Schema; the validators read by the same patterns and bounds.

The contract is loose: a number and its string are the same, 0/1 and false/true likewise, an empty value is none. A
schema here says so: what it allows is taken and what it forbids is refused, as far as one value can tell. That an array
or object may also come as JSON text, or in brackets, is a matter of the body's form, and is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, WithJsonSchema

Schema = dict[str, Any]

MAX_INTEGER = 10**15 - 1  # fifteen digits: what every JSON reader holds exactly, and a pattern can say
MAX_IDS = 5000
MAX_PHONES = 20_000
MOST_MANAGERS = 10  # of a block
MAX_URL = 2000
MAX_PARAMETERS = 20_000
SHORT = 200
MAX_HEADERS, MAX_HEADER = 100, 2000
MAX_COMMENT = 2000
MAX_KEY = 255  # of an Idempotency-Key
LEAST_DELAY, MOST_DELAY = 2, 1440  # minutes
MOST_TIMEOUT_S = 300

BLANK = " \t\r\n"
BLANKS = r"[ \t\r\n]*"
ZEROS = r"0{0,20}"  # in front: a column of ids with a fixed width
NO_FRACTION = r"(?:\.0{1,9})?"  # a table that held an empty cell writes all its numbers so
WHOLE = rf"[+-]?{ZEROS}[0-9]{{1,15}}{NO_FRACTION}"
TIME = rf"[+]?{ZEROS}[0-9]{{1,15}}(?:\.[0-9]{{1,20}})?"
CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?"
HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # RFC 9110 section 5.6.2
HEADER_VALUE = r"[\t -~]*"
JSON_TYPE = "[Aa]pplication/json[\t -~]{0,100}"  # of the header Content-Type: what the service sends anyway
OUR_HEADERS = (
    "connection", "content-encoding", "content-length", "expect", "host", "te", "trailer",
    "transfer-encoding", "upgrade", "webhook-id", "webhook-signature", "webhook-timestamp",
)  # fmt: skip
OFF_WORDS = ("0", "0.0", "false", "off", "no", "n", "null")  # in capitals too, with blanks around
ON_WORDS = ("1", "1.0", "true", "on", "yes", "y")
GENDERS = {"0": 0, "0.0": 0, "false": 0, "female": 0, "1": 1, "1.0": 1, "true": 1, "male": 1}

_LABEL = "[0-9A-Za-z_\u0401\u0410-\u044f\u0451-]+"
_PORT = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_REST = r"(?:[/?#][^\u0000-\u0020\u007f]*)?"
# A host that is an IPv6 address in brackets is taken too; whether it is one, no pattern tells.
_URL = rf"https?://(?:[!$%&'()*+,.0-9:;=A-Z_a-z~-]+@)?{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?{_REST}"
_ORNAMENT = r"[ ().-]*"
_PHONE = rf"(?! *\+?[0-9]+\.0 *$){_ORNAMENT}\+?{_ORNAMENT}[1-9](?:{_ORNAMENT}[0-9]){{10}}{_ORNAMENT}"
_DELAY = rf"[+]?{ZEROS}(?:0|[2-9]|[1-9][0-9]{{1,2}}|1[0-3][0-9]{{2}}|14[0-3][0-9]|1440){NO_FRACTION}"
_TIMEOUT = rf"[+]?{ZEROS}(?:[0-9]|[1-9][0-9]|[12][0-9]{{2}}|300){NO_FRACTION}"
_DAY_WORD = rf"[+]?{ZEROS}[1-7]{NO_FRACTION}"
NO_NUL = r"^[^\u0000]*$"
_NO_BLANK = r"^[^\u0000]*[^\u0000\s][^\u0000]*$"  # nor blanks alone
_NUMBER: Schema = {"type": "number", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}


def of_kind(name: str) -> WithJsonSchema:
    """Beside a validator: its values are of that kind. `api.openapi` makes a reference of it."""
    assert name in SCHEMAS, name
    return WithJsonSchema({"x-kind": name})


def needs(*ways: dict[str, Schema]) -> ConfigDict:
    """Of a model: the fields that must be there, and what they must hold; with several ways, those of any of them.

    A name with a question mark: it may be missing, but must not hold anything else.
    """
    told: list[Any] = list(ways)
    return ConfigDict(json_schema_extra={"x-needs": told})


def ref(name: str) -> Schema:
    """A reference to a kind."""
    return {"$ref": f"#/components/schemas/{name}"}


def _any(description: str, *schemas: Schema) -> Schema:
    return {"description": description, "anyOf": list(schemas)}


def _string(pattern: str, **more: Any) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$", **more}


def _words(pattern: str, **more: Any) -> Schema:
    return _string(f"{BLANKS}{pattern}{BLANKS}", **more)


def _words_or_none(pattern: str, **more: Any) -> Schema:
    return _string(f"(?:{BLANKS}{pattern}{BLANKS})?", **more)


def _between(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _any_case(words: Iterable[str]) -> str:
    """A pattern of words in small letters or capitals, with blanks around."""
    spelt = ("".join(f"[{c.upper()}{c}]" if c.isalpha() else re.escape(c) for c in word) for word in words)
    return f"{BLANKS}(?:{'|'.join(spelt)}){BLANKS}"


NOTHING: list[Any] = [None, False, "", [], {}]
_NOTHING: Schema = {"enum": [None, False, [], {}]}  # and the empty text, which the patterns allow
_EMPTY: Schema = {"enum": NOTHING}  # an element that is left out
_TEXT: Schema = {"type": "string", "pattern": NO_NUL}
OPEN: Schema = {"additionalProperties": ref("Anything"), "propertyNames": {"pattern": NO_NUL}}  # of an object


def _values(of: Schema, **more: Any) -> Schema:
    return {"type": "object", "additionalProperties": of, "propertyNames": {"pattern": NO_NUL}, **more}


_IDS_TEXT = rf"[ \t\r\n,]*{WHOLE}(?:[ \t\r\n,]+{WHOLE})*[ \t\r\n,]*"
_DAY: Schema = {"anyOf": [_between(1, 7), _words(_DAY_WORD), _EMPTY]}
_ID: Schema = {"anyOf": [ref("Whole"), _EMPTY]}
_NOT_ZERO: Schema = {"not": {"anyOf": [{"const": 0}, _words(rf"[+-]?0+{NO_FRACTION}")]}}  # 0 is no record
_CHOICE: Schema = {"anyOf": [ref("Block"), {"enum": [None, False, "", []]}]}
_HEADERS: Schema = {
    "type": "object",
    "propertyNames": {"pattern": f"^{HEADER_NAME}$", "not": {"enum": list(OUR_HEADERS)}},
    "patternProperties": {f"^{_any_case(['content-type'])}$": _string(JSON_TYPE)},
    "additionalProperties": {
        "anyOf": [{"type": "string", "pattern": f"^{HEADER_VALUE}$", "maxLength": MAX_HEADER}, _NUMBER, _NOTHING]
    },
    "maxProperties": MAX_HEADERS,
}
_SOME_IDS = [
    {"type": "array", "items": _ID, "contains": ref("Whole"), "maxItems": MAX_IDS},
    _between(-MAX_INTEGER, MAX_INTEGER),
    _string(_IDS_TEXT),
    _values(_ID, maxProperties=MAX_IDS) | {"not": {"additionalProperties": _EMPTY}},
]
_SOME_PHONES = [
    {
        "type": "array",
        "items": ref("Anything"),
        "contains": ref("Phone"),
        "minItems": 1,
        "maxItems": MAX_PHONES,
    },
    _between(10**10, 10**11 - 1),
    _string(f"{_PHONE}(?:[,;\\n]{_PHONE})*"),
]

SCHEMAS: dict[str, Schema] = {
    "NoObject": _any(
        "A text, a number, an array, or nothing.",
        _TEXT, {"type": ["number", "boolean", "null"]}, {"type": "array", "items": ref("Anything")},
    ),
    "Anything": _any(
        "Any value of JSON without NUL characters.",
        _TEXT,
        {"type": ["number", "boolean", "null"]},
        {"type": "array", "items": ref("Anything")},
        {"type": "object", **OPEN},
    ),
    "Whole": _any(
        "A whole number of at most 15 digits, or its text.", _between(-MAX_INTEGER, MAX_INTEGER), _words(WHOLE)
    ),
    "Integer": _any(
        "A whole number of at most 15 digits, its text, or nothing.",
        _between(-MAX_INTEGER, MAX_INTEGER), _words_or_none(WHOLE), _NOTHING,
    ),
    "Words": _any(
        "A text, and not of blanks alone; a number counts as its text.",
        {"type": "string", "pattern": _NO_BLANK}, _NUMBER,
    ),
    "Text": _any("A text; a number counts as its text.", _TEXT, _NUMBER, _NOTHING),
    "ShortText": _any(f"A text of at most {SHORT} characters.", _TEXT | {"maxLength": SHORT}, _NUMBER, _NOTHING),
    "ShortWords": _any(
        f"A text of 1 to {SHORT} characters.", _TEXT | {"minLength": 1, "maxLength": SHORT}, _NUMBER
    ),
    "Off": {
        "description": "Not available yet: may be left out or off, and no more.",
        "anyOf": [{"const": 0}, _string(_any_case(OFF_WORDS)), _EMPTY],
    },
    "Flag": {
        "description": "0 or 1, in the ways in which clients say so; nothing is 0.",
        "anyOf": [{"enum": [0, 1, True]}, _string(_any_case(OFF_WORDS + ON_WORDS)), _EMPTY],
    },
    "Gender": {
        "description": "The voice: 0 female, 1 male; nothing is 0.",
        "anyOf": [{"enum": [0, 1, True]}, _string(_any_case(GENDERS)), _EMPTY],
    },
    "Time": _any(
        "Unix seconds, whose fraction is cut off; 0 is nothing.",
        {"type": "number", "minimum": 0, "maximum": MAX_INTEGER}, _words_or_none(TIME), _NOTHING,
    ),
    "Clock": _any("A time of the day.", _words_or_none(f"(?:{CLOCK})", examples=["09:30"]), _NOTHING),
    "Weekdays": _any(
        "Days of the week, 1 (Monday) to 7.",
        {"type": "array", "items": _DAY, "examples": [[1, 2, 3, 4, 5]]},
        _between(1, 7),
        _string(rf"[ \t\r\n,]*(?:{_DAY_WORD}(?:[ \t\r\n,]+{_DAY_WORD})*[ \t\r\n,]*)?"),
        _values(_DAY),
        _NOTHING,
    ),
    "Delay": _any(
        f"Minutes, {LEAST_DELAY} to {MOST_DELAY}; 0 is nothing.",
        _between(LEAST_DELAY, MOST_DELAY),
        {"const": 0},
        _words_or_none(_DELAY),
        _NOTHING,
    ),
    "Timeout": _any(
        f"Seconds, 1 to {MOST_TIMEOUT_S}; 0 is the default.",
        _between(0, MOST_TIMEOUT_S), _words_or_none(_TIMEOUT), _NOTHING,
    ),
    "Url": _any(
        "An address that begins with http:// or https://.",
        _string(f"{BLANKS}(?:{_URL}{BLANKS})?", maxLength=MAX_URL, examples=["https://crm.example/called"]),
        _NOTHING,
    ),
    "ObjectText": _any(
        "An object, as JSON text or as it is.",
        {
            "type": "string", "contentMediaType": "application/json", "contentSchema": {"type": "object"},
            "pattern": rf"^(?:{BLANKS}(?:\{{[^\u0000]*\}}|\[{BLANKS}\]|null|\u0022\u0022){BLANKS})?$",
            "maxLength": MAX_PARAMETERS, "examples": ['{"order": 15}'],
        },
        {"type": "object", **OPEN},
        {"enum": [None, False, []]},
    ),
    "Headers": _any(
        "Headers of HTTP by their names; those that the service sets itself are refused.",
        _HEADERS,
        _NOTHING,
    ),
    "SomeIds": _any(f"1 to {MAX_IDS} ids, also as a text with commas between.", *_SOME_IDS),
    "Ids": _any(
        f"At most {MAX_IDS} ids, also as a text with commas between.",
        {"type": "array", "items": _ID, "maxItems": MAX_IDS},
        _between(-MAX_INTEGER, MAX_INTEGER),
        _string(rf"(?:{_IDS_TEXT}|[ \t\r\n,]*)"),
        _values(_ID, maxProperties=MAX_IDS),
        {"enum": [None, False]},
    ),
    "Phone": _any(
        "A telephone number: 11 digits with the country's code; blanks, brackets, dashes and a plus do not matter.",
        _string(_PHONE, examples=["79991234567"]),
        _between(10**10, 10**11 - 1),
    ),
    "SomePhones": _any(
        "One or more telephone numbers. One that is none is refused by its own element of the reply.", *_SOME_PHONES
    ),
    "Managers": _any(
        f"One to {MOST_MANAGERS} telephone numbers, in the order in which they are tried; nothing is none.",
        {"type": "array", "items": {"anyOf": [ref("Phone"), _EMPTY]}, "maxItems": MOST_MANAGERS},
        _values({"anyOf": [ref("Phone"), _EMPTY]}, maxProperties=MOST_MANAGERS),
        _between(10**10, 10**11 - 1),
        _string(f"(?:{_PHONE}(?:[,;\\n]{_PHONE}){{0,{MOST_MANAGERS - 1}}})?", examples=["74951234567"]),
        _string(_any_case(OFF_WORDS)),
        _NOTHING,
    ),
    "Callees": _any("Telephone numbers in any form; see what the method needs of them.", ref("Anything")),
    "Clip": _any(
        "A clip, or the number of a record.",
        ref("RecordFields"), _between(-MAX_INTEGER, MAX_INTEGER), _words_or_none(WHOLE), {"enum": [None, False, []]},
    ),
    "SomeClip": _any(
        "A clip, or the number of a record.",
        {
            "allOf": [ref("RecordFields")],
            "anyOf": [
                {"required": ["id"], "properties": {"id": {"allOf": [ref("Whole"), _NOT_ZERO]}}},
                {"required": ["text"], "properties": {"text": ref("Words")}},
            ],
        },
        {"allOf": [_between(-MAX_INTEGER, MAX_INTEGER), _NOT_ZERO]},
        {"allOf": [_words(WHOLE), _NOT_ZERO]},
    ),
    "Menu": _any(
        "The choices of a menu; each digit once.",
        {"type": "array", "items": _CHOICE},
        _values(_CHOICE),
        {"enum": [None, False, ""]},
    ),
    "Outgoing": _any(
        "One of the account's numbers, as `getPhones` lists them; 0, false or nothing: none.",
        _string(f"(?:{_PHONE}|{BLANKS}[0-9]{{1,30}}{BLANKS})?"), _between(0, 10**11 - 1),
        _string(_any_case(OFF_WORDS)), _NOTHING,
    ),
    "Variables": _any(
        "Values by the names of variables.",
        _values(ref("Text")),
        {"enum": [None, False, "", []]},
    ),
    "Digit": {
        "description": "A key of the telephone.",
        "enum": [*range(10), *"0123456789*#"],
    },
    "Source": {"enum": ["file", "text", "saved", *NOTHING]},
    "Kind": {"enum": ["account", "record"]},
    "SomeComment": _any(
        f"A text of at most {MAX_COMMENT} characters, and not of blanks alone.",
        {"type": "string", "pattern": _NO_BLANK, "maxLength": MAX_COMMENT}, _NUMBER,
    ),
    "Comment": _any(
        f"A text of at most {MAX_COMMENT} characters.", _TEXT | {"maxLength": MAX_COMMENT}, _NUMBER, _NOTHING
    ),
}  # fmt: skip
