"""Requests as schemas: from the models that read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from api.blacklist import Entry
from api.create_fields import Block, RecordFields
from api.kinds import NO_NUL, OPEN, SCHEMAS, Schema, ref

_REF = "#/components/schemas/{model}"
API_KEY: Schema = {
    "type": ["string", "null"],
    "pattern": NO_NUL,
    "description": "The account's key, 60 letters and digits; may be left out where the header `Authorization` has it.",
}


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schemas_of(methods: Collection[type[BaseModel]]) -> dict[str, Schema]:
    """The schemas of methods' fields and of what they refer to, kinds included, by name."""
    models: list[type[BaseModel]] = [*methods, RecordFields, Block, Entry]  # the last ones are known to kinds only
    _, told = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REF, schema_generator=_Untitled
    )
    found = {name: _told(schema) for name, schema in told["$defs"].items()}
    for model in methods:
        found[model.__name__]["properties"] = {"apiKey": API_KEY, **found[model.__name__].get("properties", {})}
    return SCHEMAS | found


def _told(schema: Schema) -> Schema:
    """A model's schema in the contract's terms: kinds by reference, what it needs, nothing that only Python knows."""
    properties = {name: _property(told) for name, told in schema.get("properties", {}).items()}
    made: Schema = {"type": "object", "description": schema["description"], "properties": properties, **OPEN}
    ways: list[dict[str, Schema]] = schema.get("x-needs", [])
    always = [name for name in ways[0] if all(way.get(name) == ways[0][name] for way in ways)] if ways else []
    for name in always:
        properties[name] = _with(ways[0][name], properties[name])
    if always:
        made["required"] = always
    if len(ways) > 1:
        made["anyOf"] = [_way({name: needed for name, needed in way.items() if name not in always}) for way in ways]
    return made


def _way(needed: dict[str, Schema]) -> Schema:
    return {
        "required": [name for name in needed if not name.endswith("?")],
        "properties": {name.rstrip("?"): schema for name, schema in needed.items()},
    }


def _property(told: Schema) -> Schema:
    kept = {name: value for name, value in told.items() if name in ("description", "default")}
    if kept.get("default") in (None, 0, [], ()):
        kept.pop("default", None)
    if "x-kind" in told:
        return ref(told["x-kind"]) | kept
    return {name: value for name, value in told.items() if name not in ("default", "title")} | kept


def _with(needed: Schema, told: Schema) -> Schema:
    return needed | {name: value for name, value in told.items() if name == "description"}
