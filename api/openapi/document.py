"""The document: every route, what it reads, what it tells."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from typing import Any

from api.create_fields import Order
from api.kinds import MAX_KEY, NO_NUL, SHORT, Schema
from api.openapi import replies, requests
from api.openapi.operations import OPERATIONS, TAGS, Operation
from api.openapi.pages import PAGES
from api.openapi.shapes import SHAPES, template
from api.problems import Code
from api.templates import REPLACEABLE

_ABOUT = """\
Calls people: plays clips, takes digits, tells your programs what happened.

- The account's key comes in the field `apiKey`, or in the header `Authorization: Bearer KEY`.
- A body may be JSON, a form, or `multipart/form-data`. In a form, arrays and objects come in brackets (`record[id]=1`,
  `phones[]=79991234567`) or as JSON text. Fields may also stand in the query; the body wins.
- A number and its text are the same, 0/1 and false/true likewise; an empty value is none; fields that are not known are
  ignored. No text may hold a NUL character.
- A refusal is `{"status": "error", "data": {"message", "code", "errors"}}`; each code has a page, `/errors/CODE`.
- Methods that change something take the header `Idempotency-Key`: the same request under the same key is done once, and
  gets the same reply for 24 hours, marked `Idempotent-Replay: true`; another one under that key is refused.
- Messages are in Russian or, by `Accept-Language`, in English.
"""
# A parameter of no operation: with it the reply hangs on earlier requests, which no schema can say.
_IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request under the same key gets the same reply for 24 hours, and is done once.",
    "schema": {"type": "string", "maxLength": MAX_KEY, "examples": ["3f1c6c0e-8d0a-4a43-a2d8-0a4b9f3e7a51"]},
}


def document() -> dict[str, Any]:
    """The document as a value."""
    models = {operation.fields: None for operation in OPERATIONS.values()}
    schemas = requests.schemas_of([*models, Order])
    told = schemas["CreateWithTemplate"]["properties"]
    told.update({name: schemas["Order"]["properties"][name] for name in REPLACEABLE})
    del schemas["Order"]
    shapes = SHAPES | {"Template": template(schemas["SaveTemplate"])}
    assert not schemas.keys() & shapes.keys()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Zvonar",
            "version": version("zvonar"),
            "description": _ABOUT,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "security": [{"bearer": []}],
        "paths": {path: {"post": _method(path, operation)} for path, operation in OPERATIONS.items()} | PAGES,
        "components": {
            "parameters": {"IdempotencyKey": _IDEMPOTENCY_KEY},
            "schemas": dict(sorted((schemas | shapes).items())),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The account's key. The field `apiKey` of the body does as well.",
                },
                "query": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "apiKey",
                    "description": "The account's key, for browsers, whose EventSource sends no headers.",
                },
            },
        },
    }


@cache
def encoded() -> bytes:
    """The document as it is served."""
    return json.dumps(document(), separators=(",", ":")).encode()


def _method(path: str, operation: Operation) -> Schema:
    codes = {*replies.ANY_METHOD, *operation.codes} | ({Code.KEY_REUSED} if operation.changes else set())
    schema = {"$ref": f"#/components/schemas/{operation.fields.__name__}"}
    content: dict[str, Any] = {"application/json": {"schema": schema, "example": dict(operation.example)}}
    if path == "/apiCalls/createRecord":
        content["multipart/form-data"] = {"schema": _WITH_FILE}
    made: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": path.strip("/").replace("/", "_"),
        "requestBody": {"required": _needs_fields(operation), "content": content},
        "responses": replies.good(operation.data, repeatable=operation.changes) | replies.refusals(codes),
    }
    if operation.more:
        made["description"] = operation.more
    return made


def _needs_fields(operation: Operation) -> bool:
    return bool(operation.fields.model_config.get("json_schema_extra"))


_WITH_FILE: Schema = {
    "type": "object",
    "required": ["file"],
    "propertyNames": {"pattern": NO_NUL},
    "additionalProperties": {"type": "string", "pattern": NO_NUL},  # an array's elements would have one name: an error
    "properties": {
        "apiKey": requests.API_KEY,
        "file": {"type": "string", "format": "binary"},
        "name": {"type": "string", "maxLength": SHORT, "pattern": NO_NUL},
        "gender": {"enum": ["0", "1"]},
    },
}
