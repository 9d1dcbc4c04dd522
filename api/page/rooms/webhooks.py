"""Webhooks: what was told to the account's programs, every try, and telling it again (the API does that)."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from api import bodies, failure
from api.page import paging
from api.page.visit import Visit, Way
from api.problems import Code
from api.refusal import Refusal
from api.store import outbox
from api.store.outbox import Filter, Try

ON_A_PAGE = 50
HOSTS_SHOWN = 50
_HOUR_S = 3600


def show(visit: Visit) -> Response:
    """The account's webhooks, newest first."""
    host = visit.query.get("host", "").replace("\0", "")[: outbox.MAX_HOST]
    which = Filter(
        failed_only=visit.query.get("state") == "failed", host=host,
        api_call_id=paging.number(visit.query, "call"),
    )  # fmt: skip
    before = paging.number(visit.query, "before")
    with visit.service.database.read() as db:
        found = outbox.page(db, visit.account.id, which, before, ON_A_PAGE + 1)
        hosts = outbox.hosts(db, visit.account.id, HOSTS_SHOWN)
    shown = found[:ON_A_PAGE]
    if which.host and which.host not in hosts:
        hosts.append(which.host)
    older = paging.address("/webhooks", visit.query, before=shown[-1].id) if len(found) > ON_A_PAGE else None
    return visit.page(
        "webhooks.html", webhooks=shown, which=which, hosts=hosts, next_page=older, first=before is None,
        answer=lambda tried: answer(visit.language, tried), spans=[_HOUR_S, 24 * _HOUR_S, 72 * _HOUR_S, 720 * _HOUR_S],
        call=visit.query.get("call", ""),
    )  # fmt: skip


def show_one(visit: Visit) -> Response:
    """One webhook: its body, and each try."""
    with visit.service.database.read() as db:
        webhook = outbox.one(db, visit.account.id, int(visit.path["number"]))
    if webhook is None:
        raise Refusal(Code.NOT_FOUND)
    body = bodies.with_try(webhook.body, max(1, webhook.tries))
    return visit.page(
        "webhook.html", webhook=webhook, body=pretty(body), answer=lambda tried: answer(visit.language, tried)
    )


def count_failed(visit: Visit) -> Response:
    """How many would be sent again of those that failed since `since` (Unix seconds); scripts ask."""
    since = paging.number(visit.query, "since") or 0
    with visit.service.database.read() as db:
        count = outbox.count_failed(db, visit.account.id, since, outbox.AGAIN_AT_ONCE + 1)
    return visit.json({"count": min(count, outbox.AGAIN_AT_ONCE), "more": count > outbox.AGAIN_AT_ONCE})


def answer(language: str, tried: Try) -> str:
    """What came back, or why nothing did, in the reader's words."""
    return failure.shown(tried.answer).render(language) if tried.status is None else tried.answer


def pretty(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


WAYS = (
    Way("GET", "/webhooks", show),
    Way("GET", "/webhooks/failed", count_failed),
    Way("GET", "/webhooks/{number:int}", show_one),
)
