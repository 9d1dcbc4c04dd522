"""What is read with GET: events of a call, clips, pages of errors, and the service about itself."""

from __future__ import annotations

from typing import Any

from api.kinds import Schema
from api.metrics import CONTENT_TYPE
from api.openapi import replies
from api.openapi.operations import CALLS, CLIPS, SERVICE
from api.openapi.shapes import TEXT, array, ref, success
from api.problems import Code

_BROKEN = (Code.INTERNAL, Code.STORE_UNAVAILABLE)


def _page(tag: str, summary: str, name: str, responses: Schema, *parameters: Schema, more: str = "") -> Schema:
    made: dict[str, Any] = {"tags": [tag], "summary": summary, "operationId": name, "security": []}
    if more:
        made["description"] = more
    if parameters:
        made["parameters"] = list(parameters)
    return made | {"responses": responses}


def _parameter(where: str, name: str, schema: Schema, description: str) -> Schema:
    return {
        "name": name, "in": where, "required": where == "path", "description": description, "schema": schema,
    }  # fmt: skip


def _good(content_type: str, schema: Schema, description: str, headers: Schema | None = None) -> Schema:
    made: dict[str, Any] = {"description": description, "content": {content_type: {"schema": schema}}}
    return {"200": made | ({"headers": headers} if headers else {})}


def _text(name: str) -> Schema:
    return {name: {"schema": TEXT, "required": True}}


_SOUND: Schema = {
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("audio/wav", "audio/ogg")}
}
_LANGUAGES = _good("application/json", success(array(ref("Language"))), "The languages.")
_HEALTH = {"content": {"application/json": {"schema": ref("Health")}}}
_READINESS = {"content": {"application/json": {"schema": ref("Readiness")}}}

PAGES: dict[str, dict[str, Schema]] = {
    "/apiCalls/getAvailableLanguages": {
        verb: _page(CLIPS, "The languages that the voices speak", name, _LANGUAGES | replies.refusals(_BROKEN))
        for verb, name in (("get", "getAvailableLanguages"), ("post", "postAvailableLanguages"))
    },
    "/calls/{number}/events": {
        "get": _page(
            CALLS, "The facts of a call, as they happen", "events",
            _good("text/event-stream", TEXT, "Past facts first; it ends with the call.", _text("Cache-Control"))
            | replies.refusals((Code.KEY_MISSING, Code.KEY_WRONG, Code.NOT_FOUND, *_BROKEN)),
            _parameter("path", "number", {"type": "integer", "minimum": 1, "maximum": 10**16 - 1, "examples": [1]},
                       "The number of an api-call."),
            _parameter("header", "Last-Event-ID", TEXT, "The `seq` of the last fact that is known: begin behind it."),
            more="Server-sent events: `id` is the fact's `seq`, `event` its type, `data` the fact as JSON.",
        ) | {"security": [{"bearer": []}, {"query": []}]},
    },
    "/records/{token}.wav": {
        "get": _page(
            CLIPS, "Hear a clip", "wav",
            _good("audio/wav", {"type": "string", "format": "binary"}, "8 kHz, one channel.")
            | {
                "206": {
                    "description": "The part that the header `Range` asked for.",
                    "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
                }
            }
            | replies.refusals((Code.NOT_FOUND, *_BROKEN)),
            _parameter("path", "token", {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
                       "As `path` of a record has it."),
        ),
    },
    "/recordings/{token}.{kind}": {
        "get": _page(
            CALLS, "Hear the recording of a call", "recording",
            {"200": _SOUND | {"description": "8 kHz, two channels: the callee left, what the callee heard right."}}
            | {"206": _SOUND | {"description": "The part that the header `Range` asked for."}}
            | replies.refusals((Code.NOT_FOUND, Code.RECORDING_GONE, *_BROKEN)),
            _parameter("path", "token", {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
                       "As `recordFilePath` of a call has it."),
            _parameter("path", "kind", {"enum": ["wav", "ogg"]}, "How it was recorded."),
        ),
    },
    "/errors": {
        "get": _page(
            SERVICE, "All codes of errors", "errors",
            _good("text/html; charset=utf-8", TEXT, "For people, in Russian or English.", _text("Content-Language"))
            | replies.refusals([Code.INTERNAL]),
        ),
    },
    "/errors/{code}": {
        "get": _page(
            SERVICE, "What a code of an error means, and what to do", "explain",
            _good("text/html; charset=utf-8", TEXT, "For people, in Russian or English.", _text("Content-Language"))
            | replies.refusals((Code.NOT_FOUND, Code.INTERNAL)),
            _parameter("path", "code", {"enum": list(Code)}, "`data.code` of a refusal."),
        ),
    },
    "/healthz": {
        "get": _page(
            SERVICE, "What is open, and whether all is well", "healthz",
            {"200": _HEALTH | {"description": "All is well."}, "503": _HEALTH | {"description": "Something is not."}}
            | replies.refusals([Code.INTERNAL]),
        ),
    },
    "/readyz": {
        "get": _page(
            SERVICE, "Whether requests can be taken", "readyz",
            {"200": _READINESS | {"description": "They can."}, "503": _READINESS | {"description": "They cannot."}}
            | replies.refusals([Code.INTERNAL]),
        ),
    },
    "/metrics": {
        "get": _page(
            SERVICE, "Counts for Prometheus", "metrics",
            _good(CONTENT_TYPE, TEXT, "Prometheus' text format.") | replies.refusals(_BROKEN),
        ),
    },
    "/openapi.json": {
        "get": _page(
            SERVICE, "This document", "openapi",
            _good("application/json", {"type": "object"}, "OpenAPI 3.1.") | replies.refusals([Code.INTERNAL]),
        ),
    },
}  # fmt: skip
