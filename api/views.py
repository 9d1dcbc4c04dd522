"""What the contract shows of what we keep: pure, row in, JSON out. The keys and their order are API.md's."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from api import failure
from api.messages import Message
from api.problems import Code
from api.store.accounts import Account
from api.store.calls import ApiCall, Call
from api.store.outbox import Webhook
from api.store.recordings import Recording
from api.store.records import Record, RecordStatus
from api.store.templates import Template


def element(number: int, phone: str, options: dict[str, Any], created_at: float) -> dict[str, Any]:
    """A good element of `create`'s reply. It has no `status`: a client takes one for an error."""
    return {
        "id": number,
        "apiCallId": number,
        "phone": phone,
        "needRecording": options["needRecording"],
        "plannedAt": options["plannedAt"],
        "webhookUrl": options["webhookUrl"],
        "webhookParameters": options["webhookParameters"],
        "amoscriptId": None,
        "needRecognition": options["needRecognition"],
        "ivrDigit": None,
        "startedAt": None,
        "answeredAt": None,
        "managerStartedAt": None,
        "managerAnsweredAt": None,
        "finishedAt": None,
        "toBlock": 0,
        "hangupCause": None,
        "managerStatus": None,
        "recordFilePath": None,
        "cost": "0",
        "createdAt": int(created_at),
        "label": options["label"],
        "ivrAnswers": "",
        "ivrIdList": "",
        "comment": "",
        "outgoingLineId": None,
        "detectEndOfSpeech": options["detectEndOfSpeech"],
        "robotsBlockEnabled": options["robotsBlockEnabled"],
        "webhookTry": 0,
        "webhookSent": 0,
    }


def refused(phone: str, code: Code, message: Message) -> dict[str, Any]:
    """The element of a callee who is not called."""
    return {"status": "error", "phone": phone, "message": message, "code": code}


def call(dialing: Call, owner: ApiCall, outcome: dict[str, Any]) -> dict[str, Any]:
    """An element of `calls[]`. `outcome` is what it has in common with its api-call."""
    return {
        "id": dialing.id,
        "phone": dialing.phone,
        "status": dialing.status,
        **outcome,
        "createdAt": int(dialing.created_at),
        "updatedAt": int(dialing.updated_at),
        "label": owner.request.options["label"],
        "comment": "",
        "outgoingLineId": None,
        "disposition": dialing.disposition,
        "sipCode": dialing.sip_code,
        "amd": None,
        "heardMs": dialing.heard_ms,
        "tags": dialing.tags,
    }


def api_call(kept: ApiCall, base_url: str) -> dict[str, Any]:
    """An element of `get`'s reply. `base_url` is what the address of a recording begins with."""
    options, last = kept.request.options, kept.calls[-1]
    outcomes = [_outcome(dialing, kept, base_url) for dialing in kept.calls]
    return {
        **element(kept.id, kept.phone, options, kept.created_at),
        **outcomes[-1],
        "webhookTry": kept.webhook_try,
        "webhookSent": kept.webhook_sent,
        "webhookHeaders": options["webhookHeaders"],
        "recognitionGroupId": None,
        "generateGroupId": None,
        "tag": options["tag"],
        "tagList": piped(_notes(kept, last, "tag")),
        "smartDelay": options["smartDelay"],
        "prevCallId": options["prevCallId"],
        "voiceDetectionEnabled": options["voiceDetectionEnabled"],
        "startTime": options["startTime"],
        "endTime": options["endTime"],
        "weekdays": options["weekdays"],
        "timeout": options["timeout"],
        "calls": [call(dialing, kept, outcome) for dialing, outcome in zip(kept.calls, outcomes, strict=True)],
    }


def recording(kept: Recording | None, base_url: str) -> str | None:
    """Where a dialing can be heard; None where it was not recorded, or is not kept any more."""
    if kept is None or not kept.there:
        return None
    return f"{base_url}/recordings/{kept.token}{PurePosixPath(kept.file).suffix}"


def record(kept: Record, base_url: str) -> dict[str, Any]:
    """A record. `base_url` is what its address begins with."""
    return {
        "id": kept.id,
        "name": kept.name,
        "status": kept.status,
        "needModeration": kept.status == RecordStatus.MODERATION,
        "moderatorComment": kept.moderator_comment,
        "cost": money(kept.cost),
        "isRemote": 0,
        "isGlobal": 0,
        "recordText": kept.record_text.lower(),
        "gender": str(kept.gender),
        "isTemplate": 0,
        "generateGroupId": None,
        "isPreview": 0,
        "path": f"{base_url}/records/{kept.token}.wav",
        "createdAt": int(kept.created_at),
    }


def template(kept: Template) -> dict[str, Any]:
    """A template: what it was saved with, as `create` takes it."""
    return {"id": kept.id, "name": kept.name, "createdAt": int(kept.created_at), **kept.fields}


def user(account: Account) -> dict[str, Any]:
    """What an account may know of itself."""
    return {
        "id": account.id,
        "name": account.name,
        "email": account.name if "@" in account.name else "",
        "balance": float(account.balance),
        "held": float(account.held),
        "moderated": account.moderated,
        "status": account.status,
        "moderatorComment": account.moderator_comment,
        "role": account.role,
        "timezone": account.timezone,
        "outgoingPhone": account.outgoing,
        "createdAt": int(account.created_at),
    }


def webhook(kept: Webhook) -> dict[str, Any]:
    """A webhook with its tries."""
    return {
        "id": kept.id,
        "apiCallId": kept.api_call_id,
        "kind": kept.kind,
        "url": kept.url,
        "status": kept.state,
        "tries": kept.tries,
        "nextTryAt": int(kept.next_at) if kept.done_at is None else None,
        "createdAt": int(kept.created_at),
        "headers": kept.headers,
        "body": kept.body,
        "attempts": [
            {
                "number": number,
                "at": tried.at,
                "tookMs": tried.took_ms,
                "requestHeaders": tried.headers,
                "status": tried.status,
                "answer": failure.shown(tried.answer) if tried.status is None else tried.answer,
            }
            for number, tried in kept.kept
        ],
    }


def money(amount: Decimal) -> str:
    """A decimal as the contract writes it: "0", "0.9", "12.5"."""
    return format(amount.normalize() + 0, "f")


def piped(words: Iterable[str]) -> str:
    """`|1|2|`; of nothing, the empty string."""
    joined = "|".join(words)
    return f"|{joined}|" if joined else ""


def ivr_ids(kept: ApiCall, dialing: Call) -> str:
    """The ids of the blocks that a call passed, as far as they were given."""
    return piped(_notes(kept, dialing, "id"))


def digit(answer: str) -> int | str:
    """The last digit that chose a block: a number, but `*` and `#` are none."""
    return int(answer) if answer.isdigit() else answer


def _outcome(dialing: Call, owner: ApiCall, base_url: str) -> dict[str, Any]:
    return {
        "ivrDigit": digit(dialing.answers[-1]) if dialing.answers else None,
        "startedAt": _seconds(dialing.started_at),
        "answeredAt": _seconds(dialing.answered_at),
        "managerStartedAt": _seconds(dialing.manager_started_at),
        "managerAnsweredAt": _seconds(dialing.manager_answered_at),
        "finishedAt": _seconds(dialing.finished_at),
        "toBlock": dialing.to_block,
        "hangupCause": dialing.hangup_cause,
        "managerStatus": dialing.manager_status,
        "recordFilePath": recording(dialing.recording, base_url),
        "cost": money(dialing.cost),
        "ivrAnswers": piped(dialing.answers),
        "ivrIdList": ivr_ids(owner, dialing),
    }


def _notes(kept: ApiCall, dialing: Call, key: str) -> list[str]:
    menu = kept.request.menu
    return [str(menu[block][key]) for block in dialing.path if menu.get(block, {}).get(key)]


def _seconds(at: float | None) -> int | None:
    return None if at is None else int(at)
