"""Templates to HTML, with the headers that every page has."""

from __future__ import annotations

import gzip
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.messages import ENGLISH, RUSSIAN, in_language
from api.page import formats, icons, menu_facts, navigation, words

# Nothing from elsewhere, no script or style in the text of a page; `blob:` is a clip that was just recorded.
POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "media-src 'self' blob:",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
))  # fmt: skip
WORTH_PACKING = 1000  # characters: what fits into a packet is sent as it is
LEVEL = 5  # 6 and more take twice the time for 2 % less
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-store",
}


def page(template: str, language: str, status: int = 200, **values: Any) -> Response:
    """A template in that language."""
    html = environment(language).get_template(template).render(**values)
    headers = {**HEADERS, "Content-Language": language, "Vary": "Accept-Language, Cookie, Accept-Encoding"}
    request = values["visit"].request if values.get("visit") else values["request"]
    if len(html) < WORTH_PACKING or not may_pack(request):
        return HTMLResponse(html, status, headers)
    packed = gzip.compress(html.encode(), LEVEL, mtime=0)
    return HTMLResponse(packed, status, headers | {"Content-Encoding": "gzip"})


def may_pack(request: Request) -> bool:
    """The browser reads gzip, and nobody else made it ask.

    BREACH needs a secret and a text of the attacker's on one compressed page, asked for many times from the attacker's
    own page. Such a request comes without our cookie, which is strict, so its answer holds no secret; one from a
    neighbour below the same domain, which does bring the cookie, says so in `Sec-Fetch-Site` and is answered plain.
    """
    asked_by = request.headers.get("sec-fetch-site", "none")
    return asked_by in ("none", "same-origin") and "gzip" in request.headers.get("accept-encoding", "")


def warm() -> None:
    """Compile the templates: at the start, not while the first reader waits."""
    for language in (RUSSIAN, ENGLISH):
        made = environment(language)
        for name in made.list_templates(["html"]):
            made.get_template(name)


@cache
def environment(language: str) -> Environment:
    """Where templates live. `_("text {name}", name=...)` says a text, `|code` shows backquotes as code."""
    made = Environment(
        loader=PackageLoader("api.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {
        "_": partial(words.say, language), "say": partial(in_language, language=language), "language": language,
        "icon": icons.icon, "asset": asset, "rooms": navigation.ROOMS,
        "menu_facts": menu_facts.told(language),
    }  # fmt: skip
    made.filters |= {
        "code": _code, "money": partial(formats.money, language=language), "phone": formats.phone,
        "moment": formats.moment, "duration": partial(formats.duration, language=language),
    }  # fmt: skip
    return made


def asset(path: str) -> str:
    """The address of a file of `static/`; kept by browsers until it changes."""
    return f"/static/{words.stamp(path)}/{path}"


def _code(text: str) -> Markup:
    parts = escape(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
    )
