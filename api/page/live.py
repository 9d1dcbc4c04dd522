"""`GET /calls/{number}/live`: a call as it happens, for the page: facts with their words, then the webhooks.

Events: `fact` {seq, type, at, text, ...}, `waits` {text, elsewhere}, `end` {text, tone} where no fact tells it, `cost`,
`webhook` {id, kind, state, text, answer, ...}, and at last `over`. Only facts have an id: who comes back has the rest
told anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import events, visitor
from api.events import Quiet
from api.page import outcomes
from api.page.fact_words import in_words, result_of, teller_of
from api.page.language import language_of
from api.page.telling import Teller
from api.page.webhook_words import told
from api.problems import Code
from api.refusal import Refusal
from api.service import Service
from api.store import calls, outbox
from api.store.calls import ApiCall
from api.store.outbox import Webhook

LOOK_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 1.0, 1.0, 2.0)  # for the webhook, after the call; then ever
LOOK_RARELY_S = 5.0
WATCHED_S = 1800.0  # whoever has looked at a webhook's tries so long may reload


async def stream(request: Request, service: Service, number: int) -> Response:
    """The events; Refusal for another's call, and without a session."""
    account_id, kept, teller = await run_in_threadpool(_begin, service, request, number)
    language = language_of(request)
    return events.response(_events(service, account_id, kept, teller, language, events.last_seen(request)))


def _begin(service: Service, request: Request, number: int) -> tuple[int, ApiCall, Teller]:
    known = visitor.find(service, request)
    if known is None:
        raise Refusal(Code.KEY_MISSING)
    with service.database.read() as db:
        kept = calls.one(db, known[0].id, number)
    if kept is None:
        raise Refusal(Code.NOT_FOUND, "There is no such call")
    return known[0].id, kept, teller_of(service.database, kept)


async def _events(
    service: Service, account_id: int, kept: ApiCall, teller: Teller, language: str, since: int
) -> AsyncIterator[bytes]:
    waits: Quiet | None = None
    looks, last_type = 0, ""
    # From the first fact on, whatever the reader has: what a fact says depends on those before it.
    async for told_of in events.follow(service, account_id, kept.id, 0):
        if isinstance(told_of, Quiet):
            looks += 1
            if told_of != waits:
                waits, last_type = told_of, ""
                yield events.event("waits", waiting(told_of, service.node_id, language))
            elif looks % events.SILENT_LOOKS == 0:
                yield events.WAITING
            continue
        fact, last_type = in_words(teller, told_of, language), told_of["type"]
        if fact["seq"] > since:
            yield events.event("fact", fact, fact["seq"])
    if service.hub.closed:
        return
    if last_type != "ended":
        yield events.event("end", await run_in_threadpool(_end, service, account_id, kept.id, language))
    async for event in _webhooks(service, account_id, kept.id, language):
        yield event
    if not service.hub.closed:
        yield events.event("over", {})


async def _webhooks(service: Service, account_id: int, number: int, language: str) -> AsyncIterator[bytes]:
    shown: dict[int, dict[str, Any]] = {}
    pauses, passed_s = list(LOOK_S), 0.0
    while not service.hub.closed:
        cost, found = await run_in_threadpool(_after, service, account_id, number)
        if not passed_s:
            yield events.event("cost", {"cost": cost})
        for webhook in reversed(found):
            now = told(webhook, language)
            if shown.get(webhook.id) != now:
                shown[webhook.id] = now
                yield events.event("webhook", now)
        if all(webhook.done_at is not None for webhook in found) or passed_s > WATCHED_S:
            return
        pause_s = pauses.pop(0) if pauses else LOOK_RARELY_S
        await asyncio.sleep(pause_s)
        passed_s += pause_s
        if not pauses:
            yield events.WAITING


def _end(service: Service, account_id: int, number: int, language: str) -> dict[str, Any]:
    """The end of a call that no fact tells: cancelled, for example, while it waited."""
    with service.database.read() as db:
        kept = calls.one(db, account_id, number)
    assert kept is not None
    last = kept.calls[-1]
    timeout_s = float(kept.request.options["timeout"])
    said = result_of(last.status, last.disposition, last.answers, last.heard_ms, timeout_s, last.manager_status)
    return {"text": said.render(language), "tone": outcomes.tone(last.disposition)}


def _after(service: Service, account_id: int, number: int) -> tuple[str, list[Webhook]]:
    with service.database.read() as db:
        kept = calls.one(db, account_id, number)
        assert kept is not None
        cost = format(sum(dialing.cost for dialing in kept.calls), "f")
        return cost, outbox.webhooks(
            db, account_id, numbers=None, api_call_ids=[number], failed_only=False, since=0.0, most=100
        )


def waiting(state: Quiet, node: str, language: str) -> dict[str, Any]:
    """How a call waits that does not run here."""
    elsewhere = state.owner is not None and state.owner != node
    if state.status == "created":
        text = outcomes.WAITS_FOR.get(state.waits_for, outcomes.WAITS_FOR[""])
    else:
        text = outcomes.STATUSES.get(state.status, outcomes.STATUSES["processed"])
    return {
        "text": text.render(language), "queued": state.status == "created", "due_at": state.due_at,
        "elsewhere": elsewhere,
    }  # fmt: skip
