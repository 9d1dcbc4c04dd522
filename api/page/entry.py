"""Signing in and out: by name and password, or by a link that works once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import visitor
from api.page import render
from api.problems import Code
from api.refusal import Refusal
from api.service import Service
from api.store import sessions


def add(app: FastAPI, service: Service) -> None:
    """The doors that need no session."""
    for path, method, door in (
        ("/sign-in", "GET", _show),
        ("/link/{token}", "GET", _show_link),
        ("/link/{token}", "POST", _use_link),
        ("/sign-out", "POST", _sign_out),
    ):
        app.add_api_route(path, _door(service, door), methods=[method], include_in_schema=False)


Door = Callable[[Service, Request, str, dict[str, str]], Response]


def _door(service: Service, door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        from api.page.site import language_of

        given: dict[str, str] = {}
        if request.method == "POST":
            if not visitor.from_our_page(request):
                raise Refusal(Code.KEY_MISSING)
            async with request.form(max_files=0, max_fields=20) as form:
                given = {name: str(value) for name, value in form.items()}
        return await run_in_threadpool(door, service, request, language_of(request), given)

    return enter


def _show(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    return render.page("sign_in.html", language, visit=None, account=None, request=request)


def _show_link(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    with service.database.read() as db:
        account_id = sessions.link_of(db, service.database.seal, request.path_params["token"], service.now())
    return render.page("link.html", language, visit=None, account=None, request=request, good=account_id is not None)


def _use_link(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    now, seal = service.now(), service.database.seal
    address = request.client.host if request.client else ""
    with service.database.write() as db:
        account_id = sessions.use_link(db, seal, request.path_params["token"], now)
        if account_id is None:
            return _show_link(service, request, language, given)
        token = sessions.begin(db, seal, account_id, address, request.headers.get("user-agent", ""), now)
    response = RedirectResponse("/", 303)
    visitor.remember(request, response, token)
    return response


def _sign_out(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    known = visitor.find(service, request)
    if known is not None:
        account, session = known
        with service.database.write() as db:
            sessions.end(db, account.id, session.id)
    response = RedirectResponse("/sign-in", 303)
    visitor.forget(response)
    return response
