"""`GET /errors` and `GET /errors/CODE`: what a code means, what brings it about, and what to do; in Russian or English.

A page is one small document: no script, nothing from elsewhere, light or dark as the reader's system is.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.messages import Message
from api.problems import PROBLEMS, Code, Problem
from api.refusal import Refusal
from api.replies import language_of

CAUSES, REMEDY = Message("What brings it about"), Message("What to do")
TITLE, EXPLANATION, ALL = (
    Message("Errors of the API"),
    Message("What went wrong, by `data.code` of the reply."),
    Message("All errors"),
)
_STYLE = """
:root { color-scheme: light dark; --ground: #fbfaf8; --card: #fff; --ink: #1d2126; --soft: #5c646e; --line: #e3e0da;
  --accent: #b3361e; --link: #1a5fb4; font: 1rem/1.55 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --card: #1d2024; --ink: #e8e6e1; --soft: #a0a7b0;
  --line: #33373d; --accent: #ff8f75; --link: #8ab8f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
main { max-width: 42rem; margin: 0 auto; padding: clamp(1.25rem, 6vw, 4rem) clamp(1rem, 4vw, 1.5rem); }
h1 { font-size: clamp(1.4rem, 1.1rem + 1.6vw, 1.9rem); line-height: 1.2; margin: .35rem 0 1.5rem; text-wrap: balance; }
h2 { font-size: .95rem; margin: 0 0 .5rem; color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.15rem;
  margin-bottom: 1rem; }
section.remedy { border-left: .25rem solid var(--accent); }
section p, section ul { margin: 0; }
ul { padding-left: 1.15rem; }
li + li { margin-top: .35rem; }
code { font: .9em/1.4 ui-monospace, monospace; background: color-mix(in srgb, var(--ink) 8%, transparent);
  padding: .1em .3em; border-radius: .3em; }
.kind { margin: 0; color: var(--soft); }
.kind code, small code { color: var(--accent); background: none; padding: 0; }
a { color: var(--link); }
a:focus-visible { outline: 2px solid; outline-offset: 2px; border-radius: .2em; }
.all { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
.all li { margin: 0; border-bottom: 1px solid var(--line); }
.all a { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; padding: .6rem 0; color: inherit;
  text-decoration: none; }
.all a:hover b { text-decoration: underline; }
.all small { color: var(--soft); }
.all b { flex: 1 1 100%; font-weight: 500; }
"""


_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


async def index(request: Request) -> Response:
    """All kinds of errors."""
    language = language_of(request)
    return _html(render_index(language), language)


async def page(request: Request, code: str) -> Response:
    """The page of one kind of error. Raises Refusal for a code that there is not."""
    if code not in list(Code):
        raise Refusal(Code.NOT_FOUND)
    language = language_of(request)
    return _html(render(Code(code), PROBLEMS[Code(code)], language), language)


def render(code: Code, problem: Problem, language: str) -> str:
    """The page of one kind as HTML."""
    causes = "".join(f"<li>{_said(Message(cause), language)}</li>" for cause in problem.causes)
    title = Message(problem.title)
    return _document(
        f"{escape(code)} · {title.render(language)}",
        f"""<p class="kind"><code>{escape(code)}</code> · HTTP {problem.status}</p>
<h1>{_said(title, language)}</h1>
<section><h2>{_said(CAUSES, language)}</h2><ul>{causes}</ul></section>
<section class="remedy"><h2>{_said(REMEDY, language)}</h2><p>{_said(Message(problem.remedy), language)}</p></section>
<p><a href="../errors">{_said(ALL, language)}</a></p>""",
        language,
    )


def render_index(language: str) -> str:
    """The page of all kinds as HTML."""
    entries = "\n".join(
        f'<li><a href="errors/{escape(code)}">'
        f"<small><code>{escape(code)}</code></small> <small>{problem.status}</small> "
        f"<b>{_said(Message(problem.title), language)}</b></a></li>"
        for code, problem in PROBLEMS.items()
    )
    return _document(
        TITLE.render(language),
        f"""<h1>{_said(TITLE, language)}</h1>
<p>{_said(EXPLANATION, language)}</p>
<ul class="all">{entries}</ul>""",
        language,
    )


def _document(title: str, content: str, language: str) -> str:
    return f"""<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Zvonar</title>
<style>{_STYLE}</style>
<main>
{content}
</main>
</html>
"""


def _html(document: str, language: str) -> Response:
    return HTMLResponse(
        document,
        headers={
            "Content-Security-Policy": f"default-src 'none'; style-src '{_STYLE_HASH}'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Content-Language": language,
            "Vary": "Accept-Language",
        },
    )


def _said(message: Message, language: str) -> str:
    """A message as HTML; what stands in backquotes is code."""
    parts = escape(message.render(language)).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
