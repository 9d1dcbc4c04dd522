"""`GET /calls/{id}/events`: the facts of a call as server-sent events, past ones first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import auth, visitor
from api.problems import Code
from api.refusal import Refusal
from api.service import Service
from api.store import calls, facts
from api.store.schema import OVER

KEEP_ALIVE_S = 15.0
LOOK_AGAIN_S = 0.2  # for a call that waits in the queue


async def stream(request: Request, service: Service, number: int) -> Response:
    """The events of an api-call; Refusal for another's."""
    account_id = await run_in_threadpool(_owner, service, request, number)
    last = request.headers.get("last-event-id", "")
    since = int(last) if last.isdigit() and len(last) < 10 else 0
    return StreamingResponse(
        _events(service, account_id, number, since),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _owner(service: Service, request: Request, number: int) -> int:
    """The account that asks, by its key or its session; Refusal if the call is another's."""
    given, authorization = dict(request.query_params), request.headers.get("authorization", "")
    signed_in = None if auth.has_key(given, authorization) else visitor.find(service, request)
    key = "" if signed_in else auth.key_of(given, authorization)
    with service.database.read() as db:
        account = signed_in[0] if signed_in else auth.account_of(db, service.database.seal, key)
        if calls.one(db, account.id, number) is None:
            raise Refusal(Code.NOT_FOUND, "There is no such call")
        return account.id


async def _events(service: Service, account_id: int, number: int, since: int) -> AsyncIterator[bytes]:
    told, quiet_s = since, 0.0
    while not service.hub.closed:
        async for fact in service.hub.watch(number):
            if fact["seq"] > told:
                told = fact["seq"]
                yield _event(fact)
        over, kept = await run_in_threadpool(_kept, service, account_id, number)
        for fact in kept:
            if fact["seq"] > told:
                told = fact["seq"]
                yield _event(fact)
        if over:
            return
        await asyncio.sleep(LOOK_AGAIN_S)
        quiet_s += LOOK_AGAIN_S
        if quiet_s >= KEEP_ALIVE_S:
            quiet_s = 0.0
            yield b": waiting\n\n"


def _kept(service: Service, account_id: int, number: int) -> tuple[bool, list[dict[str, Any]]]:
    with service.database.read() as db:
        kept = calls.one(db, account_id, number)
        assert kept is not None
        return kept.calls[-1].status in OVER, facts.of(db, [dialing.id for dialing in kept.calls])


def _event(fact: dict[str, Any]) -> bytes:
    return f"id: {fact['seq']}\nevent: {fact['type']}\ndata: {json.dumps(fact, separators=(',', ':'))}\n\n".encode()
