"""Templates to HTML, with the headers that every page has."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from api.messages import in_language
from api.page import formats, icons, menu_facts, navigation, words

# Nothing from elsewhere, no script or style in the text of a page; `blob:` is a clip that was just recorded.
POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "media-src 'self' blob:",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
))  # fmt: skip
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
    return HTMLResponse(html, status, {**HEADERS, "Content-Language": language, "Vary": "Accept-Language, Cookie"})


@cache
def environment(language: str) -> Environment:
    """Where templates live. `_("text {name}", name=...)` says a text, `|code` shows backquotes as code."""
    made = Environment(
        loader=PackageLoader("api.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {
        "_": partial(words.say, language), "say": partial(in_language, language=language), "language": language, "icon": icons.icon, "asset": asset,
        "rooms": navigation.ROOMS, "menu_facts": menu_facts.told(language), "known": is_known,
    }  # fmt: skip
    made.filters |= {
        "code": _code, "money": partial(formats.money, language=language), "phone": formats.phone,
        "moment": formats.moment, "duration": partial(formats.duration, language=language),
    }  # fmt: skip
    return made


def asset(path: str) -> str:
    """The address of a file of `static/`; kept by browsers until it changes."""
    return f"/static/{words.stamp(path)}/{path}"


def is_known(path: str) -> bool:
    """There is such a file in `static/`."""
    return (words.STATIC / path).is_file()


def _code(text: str) -> Markup:
    parts = escape(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
    )
