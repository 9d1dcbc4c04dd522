"""The page on the application: its rooms, its files, its language and its theme."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import receiving, visitor
from api.messages import ENGLISH, RUSSIAN
from api.page import entry, files, reference, render
from api.page.language import LANGUAGE, language_of
from api.page.paging import MAX_NUMBER
from api.page.rooms import ROOMS
from api.page.visit import Visit, Way
from api.problems import Code
from api.refusal import Refusal
from api.service import Service

THEME = "theme"
_YEAR_S = 365 * 86_400


def add(app: FastAPI, service: Service) -> None:
    """Let people in."""
    entry.add(app, service)
    receiving.add(app, service)
    reference.add(app, service)
    app.add_api_route("/static/{stamp}/{path:path}", files.static, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/look", look, methods=["POST"], include_in_schema=False)
    for room in ROOMS:
        for way in room:
            methods = ["GET", "HEAD"] if way.method == "GET" else [way.method]
            app.add_api_route(way.path, _door(service, way), methods=methods, include_in_schema=False)


async def look(request: Request) -> Response:
    """Another language, another theme: kept by the browser."""
    async with request.form(max_files=0, max_fields=10) as form:
        response = RedirectResponse(entry.own_path(str(form.get("back", "/"))), 303)
        if form.get(LANGUAGE) in (RUSSIAN, ENGLISH):
            response.set_cookie(LANGUAGE, str(form[LANGUAGE]), max_age=_YEAR_S, samesite="lax")
        if form.get(THEME) in ("light", "dark", "system"):
            response.set_cookie(THEME, str(form[THEME]), max_age=_YEAR_S, samesite="lax")
    return response


def _door(service: Service, way: Way) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        if way.method != "GET" and not visitor.from_our_page(request):
            raise Refusal(Code.KEY_MISSING)
        if way.method == "GET":
            return await run_in_threadpool(_visit, service, way, request, {})
        async with request.form(max_files=1, max_fields=1000, max_part_size=16 << 20) as form:
            given: dict[str, str | UploadFile] = dict(form)
            return await run_in_threadpool(_visit, service, way, request, given)

    return enter


def _visit(service: Service, way: Way, request: Request, form: dict[str, str | UploadFile]) -> Response:
    known, language = visitor.find(service, request), language_of(request)
    if known is None:
        return _to_sign_in(request)
    account, session = known
    if account.role not in way.roles:
        return render.page("no_entry.html", language, 403, visit=None, account=account, request=request)
    visit = Visit(service, request, account, session.id, language, form)
    try:
        return _enter(way, visit)
    except Refusal as error:
        if error.code is not Code.NOT_FOUND or "text/html" not in request.headers.get("accept", ""):
            raise
        return visit.page("nothing_here.html", 404, back="/" + request.url.path.split("/")[1])


def _enter(way: Way, visit: Visit) -> Response:
    if any(isinstance(given, int) and given > MAX_NUMBER for given in visit.request.path_params.values()):
        raise Refusal(Code.NOT_FOUND)  # no database has such a number
    return way.room(visit)


def _to_sign_in(request: Request) -> Response:
    """A script lets people sign in where they are, and goes on (`zvonar.fetch`)."""
    if request.headers.get("hx-request") == "true" or "application/json" in request.headers.get("accept", ""):
        return Response(status_code=401, headers={"Signed-Out": "true", "HX-Reswap": "none"})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = "/sign-in" if request.method == "POST" or back == "/" else f"/sign-in?back={quote(back, safe='/')}"
    return RedirectResponse(address, 303)
