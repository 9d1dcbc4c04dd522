"""The contract's envelope. JSON with non-ASCII escaped (some clients decode that by hand), and nothing but JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from api.refusal import Refusal


def encode(value: Any) -> bytes:
    """JSON text. A long list is encoded an element at a time: in one go it would keep all other threads waiting."""
    if isinstance(value, list):
        return b"[" + b",".join(encode(item) for item in value) + b"]"
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def reply(status: str, data: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A reply in the envelope."""
    content = b'{"status":' + encode(status) + b',"data":' + encode(data) + b"}"
    return Response(content, code, headers, media_type="application/json")


def refusal(error: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """What a request gets that is refused."""
    data: dict[str, Any] = {"message": error.message}
    if error.errors:
        data["errors"] = {field: list(texts) for field, texts in error.errors.items()}
    return reply("error", data, error.status, headers)
