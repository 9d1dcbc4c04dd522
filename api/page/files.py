"""`/static/STAMP/PATH`: scripts, styles and texts; an address stands for one content, so browsers keep it for ever."""

from __future__ import annotations

import gzip
import mimetypes
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from api.messages import ENGLISH, RUSSIAN
from api.page import words
from api.problems import Code
from api.refusal import Refusal

_FOR_EVER = "public, max-age=31536000, immutable"


async def static(request: Request, stamp: str, path: str) -> Response:
    """A file; compressed for those who can read it so. The stamp says which content the page means."""
    if path not in known():
        raise Refusal(Code.NOT_FOUND)
    plain, packed = content(path)
    headers = {
        "Cache-Control": _FOR_EVER if stamp == words.stamp(path) else "no-cache", "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=kind)
    return Response(plain, headers=headers, media_type=kind)


@cache
def known() -> frozenset[str]:
    """What may be asked for."""
    files = {str(file.relative_to(words.STATIC)) for file in words.STATIC.rglob("*") if file.is_file()}
    return frozenset(files | {f"texts.{language}.js" for language in (RUSSIAN, ENGLISH)})


@cache
def content(path: str) -> tuple[bytes, bytes]:
    """A file as it is, and compressed."""
    language = path.removeprefix("texts.").removesuffix(".js")
    plain = words.dictionary(language) if language in (RUSSIAN, ENGLISH) else (words.STATIC / path).read_bytes()
    return plain, gzip.compress(plain, 9, mtime=0)
