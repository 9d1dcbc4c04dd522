"""`GET /calls/{id}/events`: the facts of a call as server-sent events, past ones first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import auth, visitor
from api.problems import Code
from api.refusal import Refusal
from api.service import Service
from api.store import calls, facts
from api.store.schema import OVER

# A call that begins in this process is noticed at once. One that another node makes is seen in the store, as is one
# that was cancelled; that a page is open all day must cost next to nothing.
LOOK_AGAIN_S = 3.0
SILENT_LOOKS = 5  # then a word is sent, so that what stands between does not take the connection for dead


async def stream(request: Request, service: Service, number: int) -> Response:
    """The events of an api-call; Refusal for another's."""
    account_id = await run_in_threadpool(_owner, service, request, number)
    return response(_events(service, account_id, number, last_seen(request)))


def response(events: AsyncIterator[bytes]) -> Response:
    """Events, as they come."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def last_seen(request: Request) -> int:
    """The number of the last fact that the reader has; 0: none."""
    last = request.headers.get("last-event-id", "")
    return int(last) if last.isdigit() and len(last) < 10 else 0


class Quiet(NamedTuple):
    """Nothing happens in this process: how the store sees the api-call just now."""

    status: str
    waits_for: str
    due_at: float
    owner: str | None  # the node that makes it


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


async def follow(service: Service, account_id: int, number: int, since: int) -> AsyncIterator[dict[str, Any] | Quiet]:
    """The facts of an api-call behind number `since`, until it is over; between them, how it waits."""
    told = since
    while not service.hub.closed:
        async for fact in service.hub.watch(number):
            if fact["seq"] > told:
                told = fact["seq"]
                yield fact
        with service.hub.listening(number) as begun:
            state, kept = await run_in_threadpool(_kept, service, account_id, number, told)
            for fact in kept:
                told = fact["seq"]
                yield fact
            if state is None:
                return
            yield state
            with suppress(TimeoutError):
                await asyncio.wait_for(begun.wait(), LOOK_AGAIN_S)


async def _events(service: Service, account_id: int, number: int, since: int) -> AsyncIterator[bytes]:
    looks = 0
    async for told in follow(service, account_id, number, since):
        if not isinstance(told, Quiet):
            yield event(told["type"], told, told["seq"])
        elif (looks := looks + 1) % SILENT_LOOKS == 0:
            yield WAITING


def _kept(service: Service, account_id: int, number: int, told: int) -> tuple[Quiet | None, list[dict[str, Any]]]:
    """How it waits (None: it is over), and what the store knows beyond what was told."""
    with service.database.read() as db:
        dialings = calls.states(db, account_id, number)
        known = facts.of(db, [dialing.id for dialing in dialings if dialing.status in OVER], beyond=told)
    last = dialings[-1]
    state = Quiet(last.status, last.waits_for, last.due_at, last.owner)
    return (None if last.status in OVER else state), known


WAITING = b": waiting\n\n"


def event(name: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """One event; with a number, a reader who comes back goes on behind it."""
    seq = "" if number is None else f"id: {number}\n"
    return f"{seq}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
