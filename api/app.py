"""The HTTP front: routes, the envelope around whatever happens, and nothing that decides."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Awaitable, Callable

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    auth,
    blacklist,
    body,
    create,
    error_pages,
    events,
    get,
    messages,
    moderation,
    record,
    replies,
    templates,
    webhooks,
)
from api.method import Call, Method, Repetition
from api.metrics import CONTENT_TYPE
from api.openapi.document import MAX_KEY, encoded
from api.problems import Code
from api.refusal import Refusal
from api.service import Service
from api.store import records, replays
from api.store.accounts import Account

METHODS: dict[str, Method] = {
    "/apiCalls/create": create.create,
    "/apiCalls/createRecord": record.create_record,
    "/apiCalls/createWithTemplate": templates.create_with_template,
    "/apiCalls/deleteRecord": record.delete_record,
    "/apiCalls/get": get.get,
    "/apiCalls/getPhones": get.get_phones,
    "/apiCalls/getRecords": record.get_records,
    "/apiCalls/getTemplates": templates.get_templates,
    "/apiCalls/getWithTemplates": get.get_with_templates,
    "/apiCalls/remove": get.remove,
    "/apiCalls/saveTemplate": templates.save_template,
    "/apiCalls/userInfo": get.user_info,
    "/apiBlacklist/addPhonesFromApi": blacklist.add_phones,
    "/moderation/list": moderation.waiting,
    "/moderation/accept": moderation.accept,
    "/moderation/reject": moderation.reject,
    "/webhooks/list": webhooks.list_webhooks,
    "/webhooks/resend": webhooks.resend,
}
READING = (get.get, get.get_with_templates)
# At once, of each of these, on SQLite. They compute, and who computes shares one interpreter: more of them would be no
# faster, and each takes its millisecond whenever a call or a `create` comes back from the database. Where the database
# is a server they wait for it most of the time, and may do so together.
READERS = 2

_log = structlog.get_logger("zvonar.http")


def make_app(service: Service) -> FastAPI:
    """The application over a service that somebody else starts and stops."""
    app = FastAPI(title="Zvonar", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Shield)
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], max_age=86_400,
        expose_headers=["Idempotent-Replay"],
    )  # fmt: skip
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _refused)
    for path, method in METHODS.items():
        app.add_api_route(path, _endpoint(service, path, method), methods=["POST"])
    app.add_api_route("/apiCalls/getAvailableLanguages", _languages(service), methods=["GET", "POST"])
    app.add_api_route("/calls/{number}/events", _events(service), methods=["GET"])
    app.add_api_route("/records/{token}.wav", _clip(service), methods=["GET", "HEAD"])
    app.add_api_route("/errors", error_pages.index, methods=["GET", "HEAD"])
    app.add_api_route("/errors/{code}", error_pages.page, methods=["GET", "HEAD"])
    app.add_api_route("/openapi.json", _openapi, methods=["GET", "HEAD"])
    app.add_api_route("/healthz", _health(service), methods=["GET"])
    app.add_api_route("/readyz", _ready(service), methods=["GET"])
    app.add_api_route("/metrics", _metrics(service), methods=["GET"])
    return app


def _endpoint(service: Service, path: str, method: Method) -> Callable[[Request], Awaitable[Response]]:
    name = path.rpartition("/")[2]
    limiter = CapacityLimiter(READERS) if method in READING and service.database.file is not None else None

    async def endpoint(request: Request) -> Response:
        began, status = time.perf_counter(), 500
        try:
            got = await body.read(request, service.config.clips.max_mb << 20)
            outcome = await to_thread.run_sync(_answer, service, path, method, request, got, limiter=limiter)
            status = outcome.status_code
        except Refusal as error:
            status = error.status
            raise
        finally:
            took_s = time.perf_counter() - began
            service.metrics.requests.labels(name, status).observe(took_s)
            _log.info("request", method=name, status=status, ms=round(took_s * 1000, 1))
        return outcome

    return endpoint


def _answer(service: Service, path: str, method: Method, request: Request, got: body.Body) -> Response:
    """In a thread: let the account in, do what it asks, write the reply."""
    key = auth.key_of(got.values, request.headers.get("authorization", ""))
    with service.database.read() as db:
        account = auth.account_of(db, service.database.seal, key)
    repetition = _repetition(request, path, got)
    given = _given(service, account, repetition)
    if given is not None:
        return given
    call = Call(
        account=account,
        values=got.values,
        files=got.files,
        address=request.client.host if request.client else "",
        base_url=(service.config.api.public_url or str(request.base_url)).rstrip("/"),
        language=_language(request),
        repetition=repetition,
        database=service.database,
        clips=service.clips,
        speech=service.speech,
        tariff=service.tariff,
        trunks=service.trunks,
        now=service.now,
        wake=service.wake,
        told=service.told,
    )
    try:
        outcome = method(call)
    except replays.AlreadyGiven:
        given = _given(service, account, repetition)
        if given is None:  # it was given a day ago, and is being forgotten just now
            raise Refusal(Code.STORE_UNAVAILABLE) from None
        return given
    return replies.reply(replies.envelope("success", outcome, call.language))


def _repetition(request: Request, path: str, got: body.Body) -> Repetition | None:
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        return None
    if len(key) > MAX_KEY:
        raise Refusal(Code.FIELD_INVALID, "Idempotency-Key: is longer than {most} characters", most=MAX_KEY)
    asked = {name: value for name, value in got.values.items() if name.lower() != "apikey"}
    digest = hashlib.sha256(json.dumps([path, asked], sort_keys=True).encode())
    for file in got.files:
        digest.update(hashlib.sha256(file.content).digest())
    return Repetition(key, digest.hexdigest())


def _given(service: Service, account: Account, repetition: Repetition | None) -> Response | None:
    """The reply that was given to this request before."""
    if repetition is None:
        return None
    with service.database.read() as db:
        kept = replays.find(db, account.id, repetition.key, service.now())
    if kept is None:
        return None
    if kept.fingerprint != repetition.fingerprint:
        raise Refusal(Code.KEY_REUSED)
    return replies.reply(kept.reply.encode(), headers={"Idempotent-Replay": "true"})


def _languages(service: Service) -> Callable[[], Awaitable[Response]]:
    async def get_available_languages() -> Response:
        spoken = await run_in_threadpool(service.speech.languages)
        told = [{"code": language.code, "name": language.name} for language in spoken]
        return replies.reply(replies.envelope("success", told))

    return get_available_languages


def _events(service: Service) -> Callable[..., Awaitable[Response]]:
    async def calls_events(request: Request, number: str) -> Response:
        if not (number.isascii() and number.isdigit() and len(number) < 17):
            raise Refusal(Code.NOT_FOUND, "There is no such call")
        return await events.stream(request, service, int(number))

    return calls_events


def _clip(service: Service) -> Callable[..., Awaitable[Response]]:
    def find(token: str) -> records.Record | None:
        with service.database.read() as db:
            return records.by_token(db, token)

    async def clip(token: str) -> Response:
        found = await run_in_threadpool(find, token)
        if found is None or not service.clips.path(found.content).exists():
            raise Refusal(Code.NOT_FOUND, "There is no such record")
        return FileResponse(service.clips.path(found.content), media_type="audio/wav")

    return clip


def _health(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def healthz(request: Request) -> Response:
        report = await service.health()
        return Response(
            replies.encode(report, _language(request)), 200 if report["ok"] else 503, media_type="application/json"
        )

    return healthz


def _ready(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(request: Request) -> Response:
        report = await service.readiness()
        return Response(
            replies.encode(report, _language(request)), 200 if report["ready"] else 503, media_type="application/json"
        )

    return readyz


def _metrics(service: Service) -> Callable[[], Awaitable[Response]]:
    async def metrics() -> Response:
        return Response(await service.show_metrics(), headers={"content-type": CONTENT_TYPE})

    return metrics


async def _openapi() -> Response:
    return replies.reply(encoded())


def _language(request: Request) -> str:
    return messages.language_of(request.headers.get("accept-language", ""))


async def _refused(request: Request, error: Exception) -> Response:
    language = _language(request)
    if isinstance(error, Refusal):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return replies.refusal(error, language, headers)
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return replies.refusal(Refusal(Code.METHOD_WRONG), language, error.headers)
    return replies.refusal(Refusal(Code.NOT_FOUND), language)


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
            await replies.refusal(_excuse(error), _language(Request(scope)))(scope, receive, watch)


def _excuse(error: Exception) -> Refusal:
    if isinstance(error, (SQLAlchemyError, OSError)):
        return Refusal(Code.STORE_UNAVAILABLE)
    return Refusal(Code.INTERNAL)
