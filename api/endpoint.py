"""One request of a method: who asks, whether it was done before, what it gives."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Awaitable, Callable

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from api import auth, body, history, replies, visitor
from api.kinds import MAX_KEY
from api.method import Call, Method, Repetition
from api.problems import Code
from api.refusal import Refusal
from api.replies import language_of
from api.service import Service
from api.shield import excuse
from api.store import replays
from api.store.accounts import Account

_log = structlog.get_logger("zvonar.http")


def endpoint(
    service: Service, path: str, method: Method, *, at_once: int | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """The route's function for a method; `at_once` bounds how many of its requests are worked on."""
    name = path.rpartition("/")[2]
    limiter = None if at_once is None else CapacityLimiter(at_once)

    async def answer(request: Request) -> Response:
        began, status = time.perf_counter(), 500
        try:
            got = await body.read(request, service.config.clips.max_mb << 20)
            outcome = await to_thread.run_sync(_answer, service, path, method, request, got, limiter=limiter)
            status = outcome.status_code
        except Refusal as error:
            status = error.status
            _count(service, request, name, error)
            raise
        except Exception as error:
            _count(service, request, name, excuse(error))
            raise
        finally:
            took_s = time.perf_counter() - began
            service.metrics.requests.labels(name, status).observe(took_s)
            _log.info("request", method=name, status=status, ms=round(took_s * 1000, 1))
        return outcome

    return answer


def _answer(service: Service, path: str, method: Method, request: Request, got: body.Body) -> Response:
    """In a thread: let the account in, do what it asks, write the reply."""
    account = _who(service, request, got)
    request.state.account_id = account.id

    def done() -> Response:
        return _done(service, path, method, request, got, account)

    if not history.wanted(request, got):
        return done()
    return history.kept(service.database, account, path, got, language_of(request), service.now(), done)


def _done(service: Service, path: str, method: Method, request: Request, got: body.Body, account: Account) -> Response:
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
        language=language_of(request),
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
    except (Refusal, replays.AlreadyGiven) as error:
        # The same request may have been done meanwhile, and have taken what this one was refused for: the money, say.
        given = _given(service, account, repetition)
        if given is not None:
            return given
        if isinstance(error, Refusal):
            raise
        raise Refusal(Code.STORE_UNAVAILABLE) from None  # it was given a day ago, and is being forgotten just now
    return replies.reply(replies.envelope("success", outcome, call.language))


def _count(service: Service, request: Request, method: str, error: Refusal) -> None:
    """A request that names no account is in nobody's counts."""
    account_id = getattr(request.state, "account_id", None)
    if account_id is not None:
        service.refusals.add(account_id, method, error.code, service.now())


def _who(service: Service, request: Request, got: body.Body) -> Account:
    """The account of the key; without one that of a page of ours, by its session."""
    authorization = request.headers.get("authorization", "")
    if not auth.has_key(got.values, authorization) and visitor.from_our_page(request):
        signed_in = visitor.find(service, request)
        if signed_in is not None:
            return signed_in[0]
    key = auth.key_of(got.values, authorization)
    with service.database.read() as db:
        return auth.account_of(db, service.database.seal, key)


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
