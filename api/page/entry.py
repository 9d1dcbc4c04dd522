"""Signing in and out: by name and password, or by a link that works once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from api import attempts as rules
from api import password, visitor
from api.messages import Message
from api.page import render
from api.page.language import language_of
from api.problems import Code
from api.refusal import Refusal
from api.service import Service
from api.store import accounts, attempts, sessions

WRONG = Message("The name or the password is wrong.")
# A backslash or a control character in it, and browsers may read another host out of a path.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")
_NO_STORE = {"Cache-Control": "no-store"}
_WAITING = 200  # for their turn; more are sent away


def add(app: FastAPI, service: Service) -> None:
    """The doors that need no session."""
    # Passwords take their time. Who comes to sign in waits outside of the threads that everybody else needs.
    turns = CapacityLimiter(password.AT_ONCE)
    for path, method, door, limiter in (
        ("/sign-in", "GET", _show, None),
        ("/sign-in", "POST", _sign_in, turns),
        ("/link/{token}", "GET", _show_link, None),
        ("/link/{token}", "POST", _use_link, turns),
        ("/sign-out", "POST", _sign_out, None),
        ("/session", "GET", _session, None),
    ):
        app.add_api_route(path, _door(service, door, limiter), methods=[method], include_in_schema=False)


def own_path(back: str) -> str:
    """Where to go on: a path of ours, whatever was asked for."""
    return back if len(back) <= 2000 and _OWN_PATH.fullmatch(back) else "/"


Door = Callable[[Service, Request, str, dict[str, str]], Response]


def _door(service: Service, door: Door, limiter: CapacityLimiter | None) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        given: dict[str, str] = {}
        if request.method == "POST":
            if not visitor.from_our_page(request):
                raise Refusal(Code.KEY_MISSING)
            async with request.form(max_files=0, max_fields=20) as form:
                given = {name: str(value) for name, value in form.items()}
        if limiter and limiter.statistics().tasks_waiting >= _WAITING:
            raise password.busy()
        return await to_thread.run_sync(door, service, request, language_of(request), given, limiter=limiter)

    return enter


def _show(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    back = own_path(request.query_params.get("back", "/"))
    if visitor.find(service, request):
        return RedirectResponse(back, 303)
    return _form(request, language, back=back)


def _sign_in(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    back, name = own_path(given.get("back", "/")), given.get("name", "").strip()
    account_id, problem, wait_s = _tried(service, name, given.get("password", ""), visitor.address_of(request))
    as_json = "application/json" in request.headers.get("accept", "")
    if account_id is None:
        status, headers = (429, {"Retry-After": str(int(wait_s) + 1)}) if wait_s else (401, {})
        if as_json:
            told = {"message": problem.render(language)}
            return JSONResponse(told, status, headers=_NO_STORE | headers)
        form = _form(request, language, status, back=back, name=name, problem=problem.render(language))
        form.headers.update(headers)
        return form
    response = JSONResponse({"name": name}, headers=_NO_STORE) if as_json else RedirectResponse(back, 303)
    visitor.sign_in(service, request, response, account_id)
    return response


def _tried(service: Service, name: str, given: str, address: str) -> tuple[int | None, Message, float]:
    """The account, else why not and how long to wait; the same for an account that is not there."""
    of_account, of_address = rules.name_of_account(name.replace("\0", "")), rules.name_of_address(address)
    names = {of_account: rules.OF_ACCOUNT, of_address: rules.OF_ADDRESS}
    now = service.now()
    with service.database.read() as db:
        wait_s = attempts.longest_wait_s(db, names, now)
    if not wait_s:
        with service.database.write() as db:
            wait_s = attempts.begin(db, names, now)
    if wait_s:
        return None, rules.told(wait_s), wait_s
    with service.database.read() as db:
        account = accounts.by_name(db, name) if name.isprintable() and len(name) <= 200 else None
    if not password.right(given, account.password if account else None) or account is None:
        return None, WRONG, 0.0
    with service.database.write() as db:
        attempts.succeeded(db, of_account, of_address, service.now())
    return account.id, WRONG, 0.0


def _form(request: Request, language: str, status: int = 200, **values: Any) -> Response:
    given = {"back": "/", "name": "", "problem": ""} | values
    return render.page("sign_in.html", language, status, visit=None, account=None, request=request, **given)


def _show_link(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    return _link_page(service, request, language)


def _link_page(service: Service, request: Request, language: str, status: int = 200, problem: str = "") -> Response:
    with service.database.read() as db:
        token, seal = request.path_params["token"], service.database.seal
        account_id = sessions.link_of(db, seal, token, service.now())
        name = accounts.by_id(db, account_id).name if account_id is not None else ""
    return render.page(
        "link.html", language, status, visit=None, account=None, request=request, name=name,
        problem=problem,
    )  # fmt: skip


def _use_link(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    wanted, hashed = given.get("password", ""), None
    with service.database.read() as db:
        token, seal = request.path_params["token"], service.database.seal
        if sessions.link_of(db, seal, token, service.now()) is None:
            return _link_page(service, request, language, 410)
    if given.get("how") == "password":
        problem = password.problem(wanted)
        if problem:
            return _link_page(service, request, language, 422, problem.render(language))
        hashed = password.hashed(wanted)
    with service.database.write() as db:
        account_id = sessions.use_link(db, seal, token, service.now())
        if account_id is not None and hashed:
            accounts.set_password(db, account_id, hashed)
            sessions.end_all(db, account_id)
    if account_id is None:
        return _link_page(service, request, language, 410)
    response = RedirectResponse("/", 303)
    visitor.sign_in(service, request, response, account_id)
    return response


def _session(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    """Who is signed in, null if nobody is: scripts ask before they send what was typed."""
    known = visitor.find(service, request)
    return JSONResponse({"name": known[0].name if known else None}, headers=_NO_STORE)


def _sign_out(service: Service, request: Request, language: str, given: dict[str, str]) -> Response:
    with service.database.write() as db:
        sessions.end_token(db, service.database.seal, visitor.token_of(service, request))
    response = RedirectResponse("/sign-in", 303)
    visitor.forget(response)
    return response
