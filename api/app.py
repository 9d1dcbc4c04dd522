"""The HTTP front: routes, the envelope around whatever happens, and nothing that decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from api import (
    blacklist,
    create,
    error_pages,
    events,
    get,
    moderation,
    record,
    recording_files,
    replies,
    sound,
    templates,
    webhooks,
)
from api.endpoint import endpoint
from api.method import Method
from api.metrics import CONTENT_TYPE
from api.openapi.document import encoded
from api.page import live, site
from api.plain_paths import PlainPaths
from api.problems import Code
from api.refusal import Refusal
from api.replies import language_of
from api.service import Service
from api.shield import Shield
from api.store import records

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
LANGUAGES = "/apiCalls/getAvailableLanguages"
READING = (get.get, get.get_with_templates)
# At once, of each of these, on SQLite. They compute, and who computes shares one interpreter: more of them would be no
# faster, and each takes its millisecond whenever a call or a `create` comes back from the database. Where the database
# is a server they wait for it most of the time, and may do so together.
READERS = 2


def make_app(service: Service) -> FastAPI:
    """The application over a service that somebody else starts and stops."""
    app = FastAPI(title="Zvonar", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(PlainPaths, known=frozenset((*METHODS, LANGUAGES)))
    app.add_middleware(Shield)
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], max_age=86_400,
        expose_headers=["Idempotent-Replay"],
    )  # fmt: skip
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _refused)
    readers = None if service.database.file is None else READERS
    for path, method in METHODS.items():
        at_once = readers if method in READING else None
        app.add_api_route(path, endpoint(service, path, method, at_once=at_once), methods=["POST"])
    app.add_api_route(LANGUAGES, _languages(service), methods=["GET", "HEAD", "POST"])
    app.add_api_route("/calls/{number}/events", _events(service, events.stream), methods=["GET"])
    app.add_api_route("/calls/{number}/live", _events(service, live.stream), methods=["GET"], include_in_schema=False)
    app.add_api_route("/records/{token}.wav", _clip(service), methods=["GET", "HEAD"])
    recording_files.add(app, service)
    app.add_api_route("/errors", error_pages.index, methods=["GET", "HEAD"])
    app.add_api_route("/errors/{code}", error_pages.page, methods=["GET", "HEAD"])
    app.add_api_route("/openapi.json", _openapi, methods=["GET", "HEAD"])
    app.add_api_route("/healthz", _health(service), methods=["GET", "HEAD"])
    app.add_api_route("/readyz", _ready(service), methods=["GET", "HEAD"])
    app.add_api_route("/metrics", _metrics(service), methods=["GET", "HEAD"])
    site.add(app, service)
    return app


def _languages(service: Service) -> Callable[[], Awaitable[Response]]:
    async def get_available_languages() -> Response:
        spoken = await run_in_threadpool(service.speech.languages)
        told = [{"code": language.code, "name": language.name} for language in spoken]
        return replies.reply(replies.envelope("success", told))

    return get_available_languages


def _events(
    service: Service, stream: Callable[[Request, Service, int], Awaitable[Response]]
) -> Callable[..., Awaitable[Response]]:
    async def calls_events(request: Request, number: str) -> Response:
        if not (number.isascii() and number.isdigit() and len(number) < 17):
            raise Refusal(Code.NOT_FOUND, "There is no such call")
        return await stream(request, service, int(number))

    return calls_events


def _clip(service: Service) -> Callable[..., Awaitable[Response]]:
    def find(token: str) -> records.Record | None:
        with service.database.read() as db:
            return records.by_token(db, token)

    async def clip(request: Request, token: str) -> Response:
        found = await run_in_threadpool(find, token)
        if found is None or not service.clips.path(found.content).exists():
            raise Refusal(Code.NOT_FOUND, "There is no such record")
        return sound.response(request, service.clips.path(found.content), "audio/wav")

    return clip


def _health(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def healthz(request: Request) -> Response:
        report = await service.health()
        return Response(
            replies.encode(report, language_of(request)), 200 if report["ok"] else 503, media_type="application/json"
        )

    return healthz


def _ready(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(request: Request) -> Response:
        report = await service.readiness()
        return Response(
            replies.encode(report, language_of(request)), 200 if report["ready"] else 503, media_type="application/json"
        )

    return readyz


def _metrics(service: Service) -> Callable[[], Awaitable[Response]]:
    async def metrics() -> Response:
        return Response(await service.show_metrics(), headers={"content-type": CONTENT_TYPE})

    return metrics


async def _openapi() -> Response:
    return replies.reply(encoded())


async def _refused(request: Request, error: Exception) -> Response:
    language = language_of(request)
    if isinstance(error, Refusal):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return replies.refusal(error, language, headers)
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return replies.refusal(Refusal(Code.METHOD_WRONG), language, error.headers)
    return replies.refusal(Refusal(Code.NOT_FOUND), language)
