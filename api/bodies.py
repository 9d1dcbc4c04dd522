"""The bodies of webhooks: pure. Two kinds of receivers exist, and each body serves both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api import views
from api.store.calls import ApiCall


def end(kept: ApiCall, base_url: str) -> dict[str, Any]:
    """The end of a call: `apiCalls` for those who read a list, the call's fields at the top for the others.

    `base_url` is what the address of its recording begins with.
    """
    shown = views.api_call(kept, base_url)
    last = shown["calls"][-1]
    # At the top `id` is the api-call's, as in the reply of `create`, where such a receiver has it from.
    flat = {**last, **{key: value for key, value in shown.items() if key != "calls"}, "callId": last["id"]}
    flat["apicallId"] = kept.id
    return {**flat, **parameters(kept.request.options["webhookParameters"], kept.phone), "apiCalls": [shown]}


def block(kept: ApiCall, note: Mapping[str, Any]) -> dict[str, Any]:
    """A block was reached; `note` is what the request said of it."""
    last = kept.calls[-1]
    answers = views.piped(last.answers)
    call = {
        "apicallId": kept.id,
        "apiCallId": kept.id,
        "id": last.id,
        "phone": kept.phone,
        "status": last.status,
        "answer": note["digit"],
        "ivrDigit": views.digit(note["digit"]) if note["digit"] else None,
        "ivrAnswers": answers,
        "ivr_answers": answers,
        "ivrIdList": views.ivr_ids(kept, last),
        "ivrId": note["id"],
        "tag": note["tag"],
        "label": kept.request.options["label"],
        "startedAt": None if last.started_at is None else int(last.started_at),
        "answeredAt": None if last.answered_at is None else int(last.answered_at),
    }
    return {**parameters(note["webhook_parameters"], kept.phone), "call": call}


def with_try(body: Mapping[str, Any], tries: int) -> dict[str, Any]:
    """The body as it is sent the n-th time: it tells how often it was tried."""
    told = dict(body)
    if "webhookTry" in told:
        told["webhookTry"] = tries
        told["apiCalls"] = [{**shown, "webhookTry": tries} for shown in told["apiCalls"]]
    return told


def parameters(text: str | None, phone: str) -> dict[str, Any]:
    """`webhookParameters`, an object written as JSON text, in whose texts `{phone}` stands for the callee."""
    if not text:
        return {}
    filled = _fill(json.loads(text), phone)
    return filled if isinstance(filled, dict) else {}


def _fill(value: Any, phone: str) -> Any:
    if isinstance(value, str):
        return value.replace("{phone}", phone)
    if isinstance(value, dict):
        return {key: _fill(item, phone) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, phone) for item in value]
    return value
