"""The contract's envelope. JSON with non-ASCII escaped (some clients decode that by hand), and nothing but JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api import messages
from api.messages import RUSSIAN, Message
from api.refusal import Refusal


def encode(value: Any, language: str = RUSSIAN) -> bytes:
    """JSON text, its messages in that language.

    A long list is encoded an element at a time: in one go it would keep all other threads waiting.
    """
    if isinstance(value, list):
        return b"[" + b",".join(encode(item, language) for item in value) + b"]"
    return _dumps(value, language)


def envelope(status: str, data: Any, language: str = RUSSIAN) -> bytes:
    """The body of a reply."""
    return b'{"status":' + encode(status) + b',"data":' + encode(data, language) + b"}"


def reply(content: bytes, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A reply whose body is JSON already."""
    return Response(content, code, headers, media_type="application/json")


def refusal(error: Refusal, language: str, headers: Mapping[str, str] | None = None) -> Response:
    """What a request gets that is refused."""
    data: dict[str, Any] = {"message": error.message, "code": error.code.value}
    if error.errors:
        data["errors"] = {field: list(messages) for field, messages in error.errors.items()}
    spoken = {"Vary": "Accept-Language", "Content-Language": language}
    return reply(envelope("error", data, language), error.status, {**spoken, **(headers or {})})


def language_of(request: Request) -> str:
    """The language that a request asks for."""
    return messages.language_of(request.headers.get("accept-language", ""))


def _dumps(value: Any, language: str) -> bytes:
    return _encoder(language).encode(value).encode()


@cache
def _encoder(language: str) -> json.JSONEncoder:
    def other(item: Any) -> str:
        if isinstance(item, Message):
            return item.render(language)
        raise TypeError(f"{type(item).__name__} is nothing of JSON")

    return json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=other)
