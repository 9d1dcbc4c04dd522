"""Which language a page is in: the reader's choice, kept in a cookie, else what the browser asks for."""

from __future__ import annotations

from starlette.requests import Request

from api import messages
from api.messages import ENGLISH, RUSSIAN

LANGUAGE = "language"  # the cookie


def language_of(request: Request) -> str:
    """The reader's choice, else what the browser asks for."""
    chosen = request.cookies.get(LANGUAGE, "")
    return chosen if chosen in (RUSSIAN, ENGLISH) else messages.language_of(request.headers.get("accept-language", ""))
