"""A file of sound over HTTP. Players seek, so a part of it can be asked for (`Range`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

_RANGE = re.compile(r"bytes=([0-9]{1,12})-([0-9]{0,12})")


def response(request: Request, file: Path, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """The file, or the part that is asked for. FileNotFoundError."""
    _ignore_wrong_range(request, file.stat().st_size)
    return FileResponse(file, media_type=media_type, headers=headers)


def _ignore_wrong_range(request: Request, size: int) -> None:
    """A `Range` that is none, or lies behind the end, may be ignored (RFC 9110 section 14.2)."""
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if wanted and int(wanted[1]) < size and (not wanted[2] or int(wanted[2]) >= int(wanted[1])):
        return
    request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
