"""`/reference`: the API told to people, from the service's own OpenAPI. Anybody may read it, signed in or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import visitor
from api.openapi.manual import manual
from api.page import render, samples
from api.page.language import language_of
from api.page.visit import Visit
from api.problems import PROBLEMS
from api.service import Service


def add(app: FastAPI, service: Service) -> None:
    """The room that needs no session."""
    app.add_api_route("/reference", _door(service), methods=["GET", "HEAD"], include_in_schema=False)


def _door(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        return await run_in_threadpool(_show, service, request)

    return enter


def _show(service: Service, request: Request) -> Response:
    language = language_of(request)
    known = visitor.find(service, request)
    visit = Visit(service, request, known[0], known[1].id, language) if known else None
    base_url = (service.config.api.public_url or str(request.base_url)).rstrip("/")
    account = known[0] if known else None
    body = _body(language, base_url)
    return render.page("reference.html", language, visit=visit, account=account, request=request, body=body)


@lru_cache(maxsize=8)  # half a million characters each; addresses are what clients say, so there may be many
def _body(language: str, base_url: str) -> Markup:
    values: dict[str, Any] = {
        "groups": manual(), "problems": PROBLEMS, "base_url": base_url, "end": samples.end(), "block": samples.block(),
        "checks": samples.CHECKS, "facts": samples.FACTS,
    }  # fmt: skip
    return Markup(render.environment(language).get_template("reference_body.html").render(values))
