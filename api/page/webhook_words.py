"""A webhook and its last try, in words, for scripts: what the customer's server answered stays text."""

from __future__ import annotations

from typing import Any

from api import failure
from api.messages import Message
from api.store.outbox import Try, Webhook

_STATES = {
    "delivered": (Message("delivered"), "good"),
    "failed": (Message("given up"), "bad"),
    "waiting": (Message("on its way"), "cool"),
}
_AGAIN = (Message("is tried again"), "warn")
_KINDS = {"end": Message("at the end of the call"), "block": Message("when a block was reached")}


def told(webhook: Webhook, language: str) -> dict[str, Any]:
    """{id, kind, url, state, tone, text, tries, next_at, status, took_ms, answer, body}; no try yet: null."""
    text, tone = state(webhook)
    last = webhook.kept[-1][1] if webhook.kept else None
    return {
        "id": webhook.id, "kind": kind(webhook).render(language), "url": webhook.url, "state": webhook.state,
        "tone": tone, "text": text.render(language), "tries": webhook.tries,
        "next_at": webhook.next_at if webhook.done_at is None else None,
        "status": last and last.status, "took_ms": last and last.took_ms,
        "answer": answer(last, language) if last else None, "body": webhook.body,
    }  # fmt: skip


def state(webhook: Webhook) -> tuple[Message, str]:
    """How it stands, and the class of that state."""
    return _AGAIN if webhook.state == "waiting" and webhook.kept else _STATES[webhook.state]


def kind(webhook: Webhook) -> Message:
    """What it tells of."""
    return _KINDS.get(webhook.kind, _KINDS["end"])


def answer(tried: Try, language: str) -> str:
    """What came back; where nothing did, why."""
    return failure.shown(tried.answer).render(language) if tried.status is None else tried.answer
