"""What each kind of field takes, as JSON Schema; the validators read by the same patterns and bounds.

The contract is loose: a number and its string are the same, 0/1 and false/true likewise, an empty value is none. A
schema here says so: what it allows is taken and what it forbids is refused, as far as one value can tell. That an array
or object may also come as JSON text, or in brackets, is a matter of the body's form, and is not repeated here.
"""

from __future__ import annotations

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
_URL = rf"https?://(?:[!$%&'()*+,.0-9:;=A-Z_a-z~-]+@)?{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?{_REST}"
_ORNAMENT = r"[ ().-]*"
_PHONE = rf"{_ORNAMENT}\+?{_ORNAMENT}[1-9](?:{_ORNAMENT}[0-9]){{10}}{_ORNAMENT}"
_DELAY = "(?:0|[2-9]|[1-9][0-9]{1,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)"
_TIMEOUT = "(?:[0-9]|[1-9][0-9]|[12][0-9]{2}|300)"
_NO_NUL = r"^[^\u0000]*$"
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


NOTHING: list[Any] = [None, "", [], {}]
_NOTHING: Schema = {"enum": [None, [], {}]}  # and the empty text, which the patterns allow
_TEXT: Schema = {"type": "string", "pattern": _NO_NUL}
OPEN: Schema = {"additionalProperties": ref("Anything"), "propertyNames": {"pattern": _NO_NUL}}  # of an object
_IDS_TEXT = rf"[ \t\r\n,]*{WHOLE}(?:[ \t\r\n,]+{WHOLE})*[ \t\r\n,]*"
_DAY: Schema = {"anyOf": [_between(1, 7), _words("[1-7]")]}
_HEADERS: Schema = {
    "type": "object",
    "propertyNames": {"pattern": f"^{HEADER_NAME}$", "not": {"enum": list(OUR_HEADERS)}},
    "additionalProperties": {
        "anyOf": [{"type": "string", "pattern": f"^{HEADER_VALUE}$", "maxLength": MAX_HEADER}, _NUMBER, _NOTHING]
    },
    "maxProperties": MAX_HEADERS,
}
_SOME_IDS = [
    {"type": "array", "items": ref("Whole"), "minItems": 1, "maxItems": MAX_IDS},
    _between(-MAX_INTEGER, MAX_INTEGER),
    _string(_IDS_TEXT),
    {"type": "object", "additionalProperties": ref("Whole"), "minProperties": 1, "maxProperties": MAX_IDS},
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
        "enum": [0, False, *OFF_WORDS, *NOTHING],
    },
    "Flag": {
        "description": "0 or 1, in the ways in which clients say so; nothing is 0.",
        "enum": [0, 1, False, True, *OFF_WORDS, *ON_WORDS, *NOTHING],
    },
    "Gender": {
        "description": "The voice: 0 female, 1 male; nothing is 0.",
        "enum": [0, 1, *GENDERS, *NOTHING],
    },
    "Time": _any(
        "Unix seconds; 0 is nothing.",
        _between(0, MAX_INTEGER), _words_or_none("(?:0|[1-9][0-9]{0,14})"), _NOTHING,
    ),
    "Clock": _any("A time of the day.", _words_or_none(f"(?:{CLOCK})", examples=["09:30"]), _NOTHING),
    "Weekdays": _any(
        "Days of the week, 1 (Monday) to 7.",
        {"type": "array", "items": _DAY, "minItems": 1, "examples": [[1, 2, 3, 4, 5]]},
        _between(1, 7),
        _words_or_none(rf"[1-7](?:{BLANKS},{BLANKS}[1-7])*"),
        {"type": "object", "additionalProperties": _DAY, "minProperties": 1},
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
        {"type": "string", "pattern": f"^(?:{_URL})?$", "maxLength": MAX_URL, "examples": ["https://crm.example/called"]},
        _NOTHING,
    ),
    "ObjectText": _any(
        "An object, as JSON text or as it is.",
        {
            "type": "string", "contentMediaType": "application/json", "contentSchema": {"type": "object"},
            "pattern": rf"^(?:{BLANKS}(?:\{{[^\u0000]*\}}|\[{BLANKS}\]){BLANKS})?$", "maxLength": MAX_PARAMETERS,
            "examples": ['{"order": 15}'],
        },
        {"type": "object", **OPEN},
        {"enum": [None, []]},
    ),
    "Headers": _any(
        "Headers of HTTP by their names; those that the service sets itself are refused.",
        _HEADERS,
        _NOTHING,
    ),
    "SomeIds": _any(f"1 to {MAX_IDS} ids, also as a text with commas between.", *_SOME_IDS),
    "Ids": _any(
        f"At most {MAX_IDS} ids, also as a text with commas between.",
        {"type": "array", "items": ref("Whole"), "maxItems": MAX_IDS},
        _between(-MAX_INTEGER, MAX_INTEGER),
        _string(f"(?:{_IDS_TEXT})?"),
        {"type": "object", "additionalProperties": ref("Whole"), "maxProperties": MAX_IDS},
        {"type": "null"},
    ),
    "Phone": _any(
        "A telephone number: 11 digits with the country's code; blanks, brackets, dashes and a plus do not matter.",
        _string(_PHONE, examples=["79991234567"]),
        _between(10**10, 10**11 - 1),
    ),
    "SomePhones": _any(
        "One or more telephone numbers. One that is none is refused by its own element of the reply.", *_SOME_PHONES
    ),
    "Callees": _any("Telephone numbers in any form; see what the method needs of them.", ref("Anything")),
    "Clip": _any(
        "A clip, or the number of a record.",
        ref("RecordFields"), _between(-MAX_INTEGER, MAX_INTEGER), _words_or_none(WHOLE), {"enum": [None, []]},
    ),
    "SomeClip": _any(
        "A clip, or the number of a record.",
        {
            "allOf": [ref("RecordFields")],
            "anyOf": [
                {"required": ["id"], "properties": {"id": ref("Whole")}},
                {"required": ["text"], "properties": {"text": ref("Words")}},
            ],
        },
        _between(-MAX_INTEGER, MAX_INTEGER),
        _words(WHOLE),
    ),
    "Menu": _any(
        "The choices of a menu; each digit once.",
        {"type": "array", "items": ref("Block"), "maxItems": 12},
        {"type": "object", "additionalProperties": ref("Block"), "maxProperties": 12},
        {"enum": [None, ""]},
    ),
    "Outgoing": _any(
        "One of the account's numbers, as `getPhones` lists them; 0, false or nothing: none.",
        _string(f"(?:{_PHONE}|{BLANKS}[0-9]{{1,30}}{BLANKS})?"), _between(0, 10**11 - 1),
        {"enum": [False, *OFF_WORDS]}, _NOTHING,
    ),
    "Variables": _any(
        "Values by the names of variables.",
        {"type": "object", "additionalProperties": ref("Text"), "propertyNames": {"pattern": _NO_NUL}},
        {"enum": [None, "", []]},
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
