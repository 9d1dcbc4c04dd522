"""`GET /errors/CODE`: what a code means, what brings it about, and what to do; in Russian or English."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api import messages
from api.messages import Message
from api.problems import PROBLEMS, Code, Problem
from api.refusal import Refusal

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
code { font: 0.95em ui-monospace, monospace; }
p.code { color: GrayText; }
"""


async def page(request: Request, code: str) -> Response:
    """The page of one kind of error. Raises Refusal for a code that there is not."""
    if code not in list(Code):
        raise Refusal(Code.NOT_FOUND)
    language = messages.language_of(request.headers.get("accept-language", ""))
    content = render(Code(code), PROBLEMS[Code(code)], language)
    return HTMLResponse(
        content,
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "Content-Language": language,
            "Vary": "Accept-Language",
        },
    )


def render(code: Code, problem: Problem, language: str) -> str:
    """The page as HTML."""

    def said(text: str) -> str:
        return _marked(Message(text).render(language))

    causes = "".join(f"<li>{said(cause)}</li>" for cause in problem.causes)
    return f"""<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(code)} · Zvonar</title>
<style>{_STYLE}</style>
<main>
<p class="code"><code>{escape(code)}</code> · HTTP {problem.status}</p>
<h1>{said(problem.title)}</h1>
<h2>{said("What brings it about")}</h2>
<ul>{causes}</ul>
<h2>{said("What to do")}</h2>
<p>{said(problem.remedy)}</p>
</main>
</html>
"""


def _marked(text: str) -> str:
    """Text as HTML; what stands in backquotes is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
