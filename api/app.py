"""The HTTP front: routes, the envelope around whatever happens, and nothing that decides."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import auth, body, events, get, record, replies
from api.create import create
from api.method import Call, Method
from api.refusal import Refusal
from api.service import Service
from api.store import records

METHODS: dict[str, Method] = {
    "create": create,
    "createRecord": record.create_record,
    "get": get.get,
    "getPhones": get.get_phones,
    "getRecords": record.get_records,
    "remove": get.remove,
    "userInfo": get.user_info,
}

_log = structlog.get_logger("zvonar.http")


def make_app(service: Service) -> FastAPI:
    """The application over a service that somebody else starts and stops."""
    app = FastAPI(title="Zvonar", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Shield)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], max_age=86_400)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _refused)
    for name, method in METHODS.items():
        app.add_api_route(f"/apiCalls/{name}", _endpoint(service, name, method), methods=["POST"])
    app.add_api_route("/calls/{number}/events", _events(service), methods=["GET"])
    app.add_api_route("/records/{token}.wav", _clip(service), methods=["GET", "HEAD"])
    app.add_api_route("/healthz", _health(service), methods=["GET"])
    return app


def _endpoint(service: Service, name: str, method: Method) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        began = time.perf_counter()
        got = await body.read(request, service.config.clips.max_mb << 20)
        outcome = await run_in_threadpool(_answer, service, method, request, got)
        _log.info("request", method=name, ms=round((time.perf_counter() - began) * 1000, 1))
        return outcome

    return endpoint


def _answer(service: Service, method: Method, request: Request, got: body.Body) -> Response:
    """In a thread: let the account in, do what it asks, write the reply."""
    key = auth.key_of(got.values, request.headers.get("authorization", ""))
    with service.database.read() as db:
        account = auth.account_of(db, key)
    call = Call(
        account=account,
        values=got.values,
        files=got.files,
        address=request.client.host if request.client else "",
        base_url=(service.config.api.public_url or str(request.base_url)).rstrip("/"),
        database=service.database,
        clips=service.clips,
        trunks=service.trunks,
        now=service.now,
        wake=service.wake,
    )
    return replies.reply("success", method(call))


def _events(service: Service) -> Callable[..., Awaitable[Response]]:
    async def calls_events(request: Request, number: str) -> Response:
        if not (number.isascii() and number.isdigit() and len(number) < 17):
            raise Refusal(404, "There is no such call")
        return await events.stream(request, service, int(number))

    return calls_events


def _clip(service: Service) -> Callable[..., Awaitable[Response]]:
    def find(token: str) -> records.Record | None:
        with service.database.read() as db:
            return records.by_token(db, token)

    async def clip(token: str) -> Response:
        found = await run_in_threadpool(find, token)
        if found is None or not service.clips.path(found.content).exists():
            raise Refusal(404, "There is no such record")
        return FileResponse(service.clips.path(found.content), media_type="audio/wav")

    return clip


def _health(service: Service) -> Callable[[], Awaitable[Response]]:
    async def healthz() -> Response:
        report = await service.health()
        return Response(replies.encode(report), 200 if report["ok"] else 503, media_type="application/json")

    return healthz


async def _refused(_request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return replies.refusal(error, headers)
    assert isinstance(error, HTTPException)
    words = {404: "There is no such method or page", 405: "This method is called with POST"}
    return replies.refusal(Refusal(error.status_code, words.get(error.status_code, str(error.detail))), error.headers)


class Shield:
    """Whatever breaks behind it: the client gets the contract's envelope, the log gets the trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            _log.debug("client_left", path=scope["path"])
        except Exception as error:
            _log.exception("request_broke", path=scope["path"])
            if begun:
                raise
            await replies.refusal(_excuse(error))(scope, receive, watch)


def _excuse(error: Exception) -> Refusal:
    if isinstance(error, (SQLAlchemyError, OSError)):
        return Refusal(503, "The service cannot write just now; try again")
    return Refusal(500, "The service made a mistake; it is in its log")
