"""The OpenAPI document as people read it: groups, methods, fields within fields. Pure.

All texts are in English, as the document has them; they are keys of the catalogue. A field within a field has a path,
`ivrs.digit`; an object that lies in itself (a block in a block's menu) is told once, and named the second time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from api.kinds import Schema
from api.messages import Message
from api.openapi.document import document
from api.problems import Code

_REF = "#/components/schemas/"
_VERBS = ("get", "post")
_RANKS = {"yes": 0, "one": 1, "": 2}  # what must be there comes first
# What a field of such a kind holds, in a word or two; the kind's own description says it whole.
TYPES: dict[str, Message] = {
    "NoObject": Message("any value"),
    "Anything": Message("any value"),
    "Whole": Message("integer"),
    "Integer": Message("integer"),
    "Words": Message("string"),
    "Text": Message("string"),
    "ShortText": Message("string"),
    "ShortWords": Message("string"),
    "Off": Message("0 or 1"),
    "Flag": Message("0 or 1"),
    "Gender": Message("0 or 1"),
    "Time": Message("Unix seconds"),
    "Clock": Message("time of the day"),
    "Weekdays": Message("array of integers"),
    "Delay": Message("minutes"),
    "Timeout": Message("seconds"),
    "Url": Message("URL"),
    "ObjectText": Message("JSON text"),
    "Headers": Message("object"),
    "SomeIds": Message("array of integers"),
    "Ids": Message("array of integers"),
    "Phone": Message("phone number"),
    "SomePhones": Message("phone numbers"),
    "Callees": Message("phone numbers"),
    "Managers": Message("phone numbers"),
    "Clip": Message("object"),
    "SomeClip": Message("object"),
    "Menu": Message("array of objects"),
    "Outgoing": Message("phone number"),
    "Variables": Message("object"),
    "Digit": Message("key of the telephone"),
    "Source": Message("string"),
    "Kind": Message("string"),
    "SomeComment": Message("string"),
    "Comment": Message("string"),
}
_JSON_TYPES = {
    "string": Message("string"),
    "integer": Message("integer"),
    "number": Message("number"),
    "boolean": Message("true or false"),
    "array": Message("array"),
    "object": Message("object"),
    "null": Message("null"),
}
_LEAVES = ("Anything", "NoObject", "Callees")  # which lie in themselves, and have no fields of their own
# Of fields that the examples of the methods do not have; by name, since the contract uses a name for one thing.
EXAMPLES: dict[str, Any] = {
    "phones": ["79991234567", "79997654321"],
    "dutyPhone": 1,
    "webhookHeaders": {"X-Token": "secret"},
    "plannedAt": 1767254400,
    "startTime": "09:00",
    "endTime": "18:30",
    "weekdays": [1, 2, 3, 4, 5],
    "smartDelay": 30,
    "timeout": 30,
    "detectEndOfSpeech": 1,
    "voiceDetectionEnabled": 1,
    "needRecording": 1,
    "useOutgoingPhoneForManager": 1,
    "managerPhone": "74951234567",
    "label": "spring",
    "tag": "welcome",
    "prevCallId": 1,
    "dryRun": 1,
    "text": "Good morning! <-> Press 1 to confirm.",
    "gender": 1,
    "language": "ru",
    "record": {"id": 1},
    "webhookUrl": "https://crm.example/called",
    "webhookParameters": '{"order": 15, "phone": "{phone}"}',
    "variables": {"name": "Anna"},
    "needBlock": 1,
    "since": 1767254400,
    "isTemplate": 1,
    "comment": "asked not to be called",
    "phone": "79991234567",
    "digit": 1,
    "ivrs": [{"digit": 1, "tag": "yes"}],
}


@dataclass(frozen=True, slots=True)
class Field:
    """`anchor` is unique on the page; `form` says what values are taken; `named` names an object that is told above."""

    anchor: str
    name: str
    type: tuple[Message, ...]
    required: str  # "yes", "one" (one of several), ""
    meaning: str
    form: str
    values: tuple[str, ...]
    example: str
    fields: tuple[Field, ...]
    named: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that is told back, or one of several."""

    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back with a status. `many`: `data` is an array of these."""

    status: str
    content: str
    shapes: tuple[Shape, ...]
    many: bool
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation. `example` is a request as JSON, without the key."""

    id: str
    verb: str
    path: str
    summary: str
    more: str
    fields: tuple[Field, ...]
    parameters: tuple[Field, ...]
    example: str
    replies: tuple[Reply, ...]
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of a tag."""

    name: str
    description: str
    entries: tuple[Entry, ...]


@cache
def manual() -> tuple[Group, ...]:
    """The whole document."""
    reader = _Reader(document())
    return tuple(reader.groups())


def texts() -> list[str]:
    """Every text of the document that the page says, once."""
    found: dict[str, None] = {}
    for group in manual():
        found |= dict.fromkeys((group.name, group.description))
        for entry in group.entries:
            found |= dict.fromkeys((entry.summary, entry.more))
            for field in (*entry.parameters, *entry.fields):
                _texts_of(field, found)
            for reply in entry.replies:
                for shape in reply.shapes:
                    found[shape.description] = None
                    for field in shape.fields:
                        _texts_of(field, found)
    return [text for text in found if text]


def _texts_of(field: Field, found: dict[str, None]) -> None:
    found |= dict.fromkeys((field.meaning, field.form))
    for inner in field.fields:
        _texts_of(inner, found)


class _Reader:
    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._schemas: dict[str, Schema] = told["components"]["schemas"]

    def groups(self) -> list[Group]:
        made: dict[str, list[Entry]] = {tag["name"]: [] for tag in self._told["tags"]}
        for path, verbs in self._told["paths"].items():
            for verb in _VERBS:
                if verb in verbs:
                    made[verbs[verb]["tags"][0]].append(self._entry(path, verb, verbs[verb]))
        return [Group(tag["name"], tag["description"], tuple(made[tag["name"]])) for tag in self._told["tags"]]

    def _entry(self, path: str, verb: str, operation: Schema) -> Entry:
        name = operation["operationId"]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        good = operation["responses"].get("200", {})
        return Entry(
            id=name,
            verb=verb.upper(),
            path=path,
            summary=operation["summary"],
            more=operation.get("description", ""),
            fields=self._fields(name, body["schema"], body["example"], ()) if body else (),
            parameters=tuple(self._parameter(name, one) for one in operation.get("parameters", [])),
            example=_json(body["example"]) if body else "",
            replies=tuple(self._reply(name, status, told) for status, told in operation["responses"].items()),
            repeatable="Idempotent-Replay" in good.get("headers", {}),
        )

    def _parameter(self, entry: str, told: Schema) -> Field:
        schema = told["schema"]
        return Field(
            anchor=f"{entry}.{told['name']}",
            name=told["name"],
            type=self._type(schema),
            required="yes" if told["required"] else "",
            meaning=told["description"],
            form="",
            values=(),
            example=_short(schema["examples"][0]) if "examples" in schema else "",
            fields=(),
        )

    def _fields(self, at: str, schema: Schema, example: Any, open_: tuple[str, ...]) -> tuple[Field, ...]:
        """Of an object; `open_` are the objects that we are in."""
        name = self._name(schema)
        known = self._resolved(schema)
        inside = (*open_, name) if name else open_
        always = set(known.get("required", ()))
        some = {field for way in known.get("anyOf", ()) for field in way.get("required", ())}
        given = example if isinstance(example, dict) else {}
        made = []
        for field, told in known.get("properties", {}).items():
            required = "yes" if field in always else "one" if field in some else ""
            made.append(self._field(f"{at}.{field}", field, told, required, given.get(field), inside))
        return tuple(sorted(made, key=lambda one: (one.name == "apiKey", _RANKS[one.required])))

    def _field(
        self, anchor: str, name: str, told: Schema, required: str, example: Any, open_: tuple[str, ...]
    ) -> Field:
        kind = self._name(told)
        known = self._resolved(told)
        inner = self._inner(told)
        recursive = inner is not None and self._name(inner) in open_
        first = example[0] if isinstance(example, list) and example else example
        if example is None and name not in EXAMPLES:
            shown = _short(known["examples"][0]) if "examples" in known else ""
        else:
            shown = _short(EXAMPLES[name] if example is None else example)
        return Field(
            anchor=anchor,
            name=name,
            type=self._type(told),
            required=required,
            meaning=told.get("description", ""),
            form=known.get("description", "") if kind else "",
            values=tuple(_short(value) for value in known.get("enum", ()) if value not in (None, "", [], {}, False)),
            example=shown,
            fields=() if inner is None or recursive else self._fields(anchor, inner, first, open_),
            named=(self._name(inner) if inner is not None and recursive else ""),
        )

    def _inner(self, told: Schema) -> Schema | None:
        """The object that a field holds, or that the elements of its array are."""
        if self._name(told) in _LEAVES:
            return None
        known = self._resolved(told)
        if known.get("type") == "object":
            return told if "properties" in known else None
        if known.get("type") == "array":
            return self._inner(known["items"])
        for way in (*known.get("anyOf", ()), *known.get("allOf", ())):
            found = self._inner(way)
            if found is not None:
                return found
        return None

    def _reply(self, entry: str, status: str, told: Schema) -> Reply:
        content = next(iter(told.get("content", {"": {}})))
        schema = self._resolved(told.get("content", {}).get(content, {}).get("schema", {}))
        envelope = schema.get("properties", {})
        data = envelope.get("data", schema if content == "application/json" else {})
        known = self._resolved(data)
        if envelope.get("status", {}).get("const") == "error":
            codes = tuple(Code(code) for code in known["properties"]["code"]["enum"])
            return Reply(status, content, (), many=False, codes=codes)
        many = known.get("type") == "array"
        one = known["items"] if many else data
        resolved = self._resolved(one)
        ways = resolved.get("anyOf") or resolved.get("oneOf") or [one]
        shapes = []
        for number, way in enumerate(ways):
            shape = self._resolved(way)
            if shape.get("properties"):
                about = shape.get("description", "") or resolved.get("description", "")
                at = f"{entry}.{status}" + (f".{number}" if len(ways) > 1 else "")
                shapes.append(Shape(about, self._fields(at, way, None, ())))
        return Reply(status, content, tuple(shapes), many, ())

    def _type(self, told: Schema) -> tuple[Message, ...]:
        name = self._name(told)
        if name in TYPES:
            return (TYPES[name],)
        known = self._resolved(told)
        if "const" in known or "enum" in known:
            values = known.get("enum", [known.get("const")])
            kinds = {"integer" if isinstance(value, int) else "string" for value in values if value is not None}
            return tuple(_JSON_TYPES[kind] for kind in sorted(kinds))
        types = known.get("type", [])
        return tuple(_JSON_TYPES[kind] for kind in ([types] if isinstance(types, str) else types))

    def _name(self, schema: Schema) -> str:
        reference: str = schema.get("$ref", "")
        return reference.removeprefix(_REF)

    def _resolved(self, schema: Schema) -> Schema:
        name = self._name(schema)
        return self._schemas[name] if name else schema


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
