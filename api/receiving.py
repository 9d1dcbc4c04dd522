"""`/receive/TOKEN`: receivers of our own, to try webhooks against. Public: whoever knows the address may send.

What comes is kept before it is answered, so that it is seen while the answer still waits. A wait holds no thread; how
many wait at once is bounded, in all and for each account.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.service import Service
from api.store import receivers
from api.store.receivers import Came, Receiver

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
BODY_BYTES = 1 << 20
HEADERS_CHARACTERS = 16_384  # of all that are kept
QUERY_CHARACTERS = 4096
MAX_DELAY_S = 30
WAIT_AT_ONCE, WAIT_OF_ACCOUNT = 200, 20
TOLERANCE_S = 300  # between the time of a signature and ours, as Standard Webhooks advises
_STEP_S = 0.25  # so often a wait asks whether anybody still waits


def add(app: FastAPI, service: Service) -> None:
    """The way to all receivers."""
    waiting: Counter[int] = Counter()

    async def receive(request: Request, token: str) -> Response:
        found = await run_in_threadpool(_find, service, token) if len(token) <= 64 else None
        if found is None:
            return PlainTextResponse("There is no such receiver\n", 404)
        receiver, secret = found
        raw = await _read(request)
        if raw is None:
            return PlainTextResponse(f"A receiver takes bodies of at most {BODY_BYTES >> 20} MB\n", 413)
        mine = receiver.account_id
        crowded = receiver.delay_ms > 0 and (waiting.total() >= WAIT_AT_ONCE or waiting[mine] >= WAIT_OF_ACCOUNT)
        status = 503 if crowded else receiver.status
        came = _came(request, raw, secret, status, service.now())
        await run_in_threadpool(_keep, service, receiver, came)
        if receiver.delay_ms and not crowded:
            waiting[mine] += 1
            try:
                await _wait(service, request, receiver.delay_ms / 1000)
            finally:
                waiting.subtract([mine])
        return _answer(status)

    app.add_api_route("/receive/{token}", receive, methods=METHODS, include_in_schema=False)


def signature_of(headers: Mapping[str, str], raw: bytes, secret: str, now: float) -> str:
    """right, wrong, stale (right, but of another time) or none; by Standard Webhooks."""
    number, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (number and at and given):
        return "none"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{number}.{at}.".encode() + raw, hashlib.sha256).digest()
    ours = f"v1,{base64.b64encode(made).decode()}".encode()
    if not any(hmac.compare_digest(ours, one.encode()) for one in given.split()):
        return "wrong"
    fresh = at.isascii() and at.isdigit() and abs(now - int(at[:15])) <= TOLERANCE_S
    return "right" if fresh else "stale"


async def _read(request: Request) -> bytes | None:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:18]) > BODY_BYTES:
        return None
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES:
            return None
    return bytes(raw)


def _came(request: Request, raw: bytes, secret: str, status: int, now: float) -> Came:
    pairs, room = [], HEADERS_CHARACTERS
    for name, value in request.headers.items():
        room -= len(name) + len(value)
        if room < 0:
            break
        pairs.append((_text(name), _text(value)))
    query = request.scope.get("query_string", b"").decode("latin-1")
    signature = signature_of(request.headers, raw, secret, now)
    body = _text(raw.decode("utf-8", errors="replace"))
    return Came(now, request.method, _text(query)[:QUERY_CHARACTERS], pairs, body, signature, status)


def _text(given: str) -> str:
    return given.replace("\0", "\ufffd")  # which PostgreSQL keeps in no text


async def _wait(service: Service, request: Request, seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        if service.ending or await request.is_disconnected():
            return
        await asyncio.sleep(min(left, _STEP_S))


def _answer(status: int) -> Response:
    return Response(status_code=status) if status in (204, 304) else PlainTextResponse(f"{status}\n", status)


def _find(service: Service, token: str) -> tuple[Receiver, str] | None:
    with service.database.read() as db:
        return receivers.by_token(db, token)


def _keep(service: Service, receiver: Receiver, came: Came) -> None:
    with service.database.write() as db:
        receivers.catch(db, receiver.account_id, came)
