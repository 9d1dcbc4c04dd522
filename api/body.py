"""All the forms in which a request's fields come, read into one nested value.

JSON; JSON text under the content type of a form (axios sends a string so); a form, urlencoded or multipart, with
nesting in brackets (`record[id]=1`, `phones[0]=...`, `ids[]=1`); files as parts; and the query string merged in. Where
the same field comes twice, the body wins over the query.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from api import json_text, messages
from api.problems import Code
from api.refusal import Refusal

ENVELOPE_BYTES = 5 * 1024 * 1024  # of a multipart body, around its file
MAX_BODY_BYTES = 8 * 1024 * 1024  # any other
MAX_FIELDS = 60_000
MAX_FILES = 10
MAX_DEPTH = 40
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
# The sentences of starlette's parser, by how they begin.
_FORM_REASONS = (
    ("Missing boundary", messages.Message("its header names no boundary")),
    ("The Content-Disposition", messages.Message("a part has no name")),
    ("Too many files", messages.Message("it has more than {most} files", most=MAX_FILES)),
    ("Too many fields", messages.Message("it has more than {most} fields", most=MAX_FIELDS)),
    ("Part exceeded", messages.Message("a field is larger than {most} MB", most=MAX_BODY_BYTES >> 20)),
)


@dataclass(frozen=True, slots=True)
class File:
    """A file part."""

    part: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """What came: fields by name, and files."""

    values: dict[str, Any]
    files: list[File] = field(default_factory=list)


async def read(request: Request, max_file_bytes: int) -> Body:
    """Read the request whole. Raises Refusal."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    multipart = kind == "multipart/form-data"
    raw = await _receive(request, max_file_bytes + ENVELOPE_BYTES if multipart else MAX_BODY_BYTES)
    if multipart and len(raw) <= MAX_BODY_BYTES and _looks_like_json(raw):
        multipart = False
    query = request.scope.get("query_string", b"").decode("latin-1")
    values = nested(pairs(query))
    files: list[File] = []
    if multipart:
        fields, files = await _multipart(request, raw)
        values |= nested(fields)
    elif raw:
        values |= parse(kind, raw)
    check(values)
    return Body(values, files)


def parse(kind: str, raw: bytes) -> dict[str, Any]:
    """A body that is not multipart. Raises Refusal."""
    json_said = kind == "application/json" or kind.endswith("+json") or (not kind and b"=" not in raw)
    if not json_said and not _looks_like_json(raw):
        return nested(pairs(_text(raw)))
    value = json_text.load(_text(raw), MAX_DEPTH)
    if not isinstance(value, dict):
        raise Refusal(Code.BODY_INVALID, "The body must be a JSON object with the fields of the request")
    return value


def pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of an urlencoded text; brackets may be encoded or not."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except UnicodeDecodeError as error:
        raise Refusal(Code.BODY_INVALID, "The body is not UTF-8 text") from error
    except ValueError as error:
        raise Refusal(Code.BODY_INVALID, "The request has more than {most} fields", most=MAX_FIELDS) from error


def nested(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """`a[b][0]=x` -> {"a": {"b": ["x"]}}. An object whose keys count from 0 is an array; `[]` adds to one."""
    tree: dict[str, Any] = {}
    for name, value in fields:
        match = _NAME.fullmatch(name)
        steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [name]
        if len(steps) > MAX_DEPTH:
            raise Refusal(Code.BODY_INVALID, "The body is nested more than {most} deep", most=MAX_DEPTH)
        node = tree
        for step in steps[:-1]:
            below = node.get(step := step or str(len(node)))
            if not isinstance(below, dict):
                below = node[step] = {}
            node = below
        node[steps[-1] or str(len(node))] = value
    return {name: _arrays(value) for name, value in tree.items()}


def check(value: Any, depth: int = 0) -> None:
    """Refuse what no field can hold: NUL bytes, halves of surrogate pairs, nesting without end."""
    if depth > MAX_DEPTH:
        raise Refusal(Code.BODY_INVALID, "The body is nested more than {most} deep", most=MAX_DEPTH)
    if isinstance(value, str):
        if "\0" in value:
            raise Refusal(Code.BODY_INVALID, "The request holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Refusal(
                Code.BODY_INVALID, "The request holds half of a surrogate pair, which is no character"
            ) from error
    elif isinstance(value, Mapping):
        for name, item in value.items():
            check(name, depth)
            check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check(item, depth + 1)


async def _receive(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:18]) > limit:
        raise _too_large(limit)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise _too_large(limit)
    return bytes(raw)


async def _multipart(request: Request, raw: bytes) -> tuple[list[tuple[str, str]], list[File]]:
    async def replay() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    bounded = "boundary" in request.headers["content-type"].lower()
    if bounded and not raw.rstrip().endswith(b"--"):  # RFC 2046 section 5.1.1: the last boundary ends so
        raise Refusal(
            Code.BODY_UNREADABLE,
            "The body is not multipart/form-data as its header says: {reason}",
            reason=messages.Message("it is cut off"),
        )
    fields: list[tuple[str, str]] = []
    files: list[File] = []
    try:
        form = await Request(request.scope, replay).form(
            max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_BODY_BYTES
        )
    except (HTTPException, MultiPartException, ValueError, KeyError, AssertionError) as error:
        raise Refusal(
            Code.BODY_UNREADABLE,
            "The body is not multipart/form-data as its header says: {reason}",
            reason=_form_reason(str(getattr(error, "detail", ""))),
        ) from error
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.append(File(name, value.filename or "", await value.read()))
            else:
                fields.append((unquote_plus(name) if "%5B" in name.upper() else name, value))
    finally:
        await form.close()
    return fields, files


def _looks_like_json(raw: bytes) -> bool:
    """Whatever the header says: programs send JSON text under the content type of any form."""
    return raw[:100].removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")


def _arrays(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _arrays(item) for name, item in value.items()}
    if inner and all(name.isascii() and name.isdigit() and len(name) < 9 for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(Code.BODY_UNREADABLE, "The body is not UTF-8 text") from error


def _form_reason(said: str) -> messages.Message:
    for beginning, message in _FORM_REASONS:
        if said.startswith(beginning):
            return message
    return messages.Message("it is damaged")


def _too_large(limit: int) -> Refusal:
    return Refusal(Code.BODY_TOO_LARGE, "The body is larger than {most} MB", most=limit // 1024 // 1024)
