"""Replies as schemas. They are strict: every key is there, and no other; `api.views` writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.kinds import Schema
from api.problems import PROBLEMS, Code
from api.store.accounts import AccountStatus, Role
from api.store.records import RecordStatus
from api.store.schema import CallStatus
from engine.disposition import Disposition

TEXT: Schema = {"type": "string"}
WORD: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "integer"}
ID: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"enum": [0, 1]}
YES_OR_NO: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
AT: Schema = {"type": "integer", "description": "Unix seconds."}
MAYBE_AT: Schema = {"type": ["integer", "null"], "description": "Unix seconds."}
MONEY: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "description": "A decimal, as text."}
PHONE: Schema = {"type": "string", "pattern": "^[1-9][0-9]{10}$"}
PIPED: Schema = {
    "type": "string",
    "pattern": r"^$|^\|[\s\S]*\|$",
    "description": "`|1|2|`; of nothing, the empty text.",
}
NOTES: Schema = {"type": "array", "items": TEXT, "description": "What the voice could not do."}
HEADERS: Schema = {"type": "object", "additionalProperties": TEXT}


def ref(name: str) -> Schema:
    """A reference to a shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    """Any number of them."""
    return {"type": "array", "items": items}


def strict(properties: dict[str, Schema], optional: Iterable[str] = (), description: str = "") -> Schema:
    """An object with these keys and no others; all but the optional ones are always there."""
    made: Schema = {
        "type": "object", "properties": properties, "additionalProperties": False,
        "required": [name for name in properties if name not in set(optional)],
    }  # fmt: skip
    return {"description": description, **made} if description else made


def success(data: Schema) -> Schema:
    """The envelope of a good reply."""
    return strict({"status": {"const": "success"}, "data": data})


def error(codes: Iterable[Code]) -> Schema:
    """The envelope of a refusal that has one of these codes."""
    data = {
        "message": TEXT,
        "code": {"enum": sorted(codes)},
        "errors": {
            "type": "object",
            "additionalProperties": array(TEXT),
            "description": "Which field is wrong, and why.",
        },
    }
    return strict({"status": {"const": "error"}, "data": strict(data, ["errors"])})


_PROGRESS: dict[str, Schema] = {
    "ivrDigit": {
        "enum": [*range(10), "*", "#", None],
        "description": "The last digit that chose a block.",
    },
    "startedAt": MAYBE_AT,
    "answeredAt": MAYBE_AT,
    "managerStartedAt": MAYBE_AT,
    "managerAnsweredAt": MAYBE_AT,
    "finishedAt": MAYBE_AT,
    "toBlock": {"enum": [0, 1], "description": "1: the callee asked not to be called again."},
    "hangupCause": {"type": ["integer", "null"], "description": "Q.850: 16 normal, 17 busy, 19 no answer ..."},
    "managerStatus": {
        "enum": [*Disposition, None],
        "description": "What came of calling the manager: `answered`, or why not; null while it is not over.",
    },
    "recordFilePath": {
        "type": ["string", "null"],
        "format": "uri",
        "description": "Where the recording can be heard: null until it is saved, and once it is deleted.",
    },
    "cost": MONEY,
    "ivrAnswers": PIPED,
    "ivrIdList": PIPED,
}
_ELEMENT: dict[str, Schema] = {
    "id": ID,
    "apiCallId": ID,
    "phone": PHONE,
    "needRecording": FLAG,
    "plannedAt": MAYBE_AT,
    "webhookUrl": WORD,
    "webhookParameters": WORD,
    "amoscriptId": NULL,
    "needRecognition": FLAG,
    **_PROGRESS,
    "createdAt": AT,
    "label": TEXT,
    "comment": {"const": ""},
    "outgoingLineId": NULL,
    "detectEndOfSpeech": FLAG,
    "robotsBlockEnabled": FLAG,
    "webhookTry": COUNT,
    "webhookSent": FLAG,
}
_RECORD: dict[str, Schema] = {
    "id": ID,
    "name": TEXT,
    "status": {"enum": list(RecordStatus)},
    "needModeration": YES_OR_NO,
    "moderatorComment": TEXT,
    "cost": MONEY,
    "isRemote": FLAG,
    "isGlobal": FLAG,
    "recordText": TEXT,
    "gender": {"enum": ["0", "1"]},
    "isTemplate": FLAG,
    "generateGroupId": NULL,
    "isPreview": FLAG,
    "path": {"type": "string", "format": "uri", "description": "Where the clip can be heard; nobody guesses it."},
    "createdAt": AT,
}
_ATTEMPT: dict[str, Schema] = {
    "number": ID,
    "at": {"type": "number", "description": "Unix seconds."},
    "tookMs": COUNT,
    "requestHeaders": HEADERS,
    "status": {"type": ["integer", "null"], "description": "The answer's; null if none came."},
    "answer": {"type": "string", "description": "The beginning of the answer, or why there was none."},
}

SHAPES: dict[str, Schema] = {
    "Queued": strict(_ELEMENT | {"notes": NOTES}, ["notes"], "A callee who will be called."),
    "Refused": strict(
        {
            "status": {"const": "error"},
            "phone": TEXT,
            "message": TEXT,
            "code": {"enum": [code for code, problem in PROBLEMS.items() if problem.of_callee]},
        },
        description="A callee who is not called, and why.",
    ),
    "Foretold": strict(
        {
            "phone": PHONE,
            "outgoingPhone": TEXT,
            "dryRun": {"const": 1},
            "startsAt": AT,
            "windowEndsAt": MAYBE_AT,
            "waitsFor": {"enum": ["plan", "window", None]},
            "cost": MONEY,
            "costAtMost": MONEY,
            "clipsCost": MONEY,
            "notes": NOTES,
        },
        ["notes"],
        "With `dryRun`: a callee who would be called, when, and for how much.",
    ),
    "Call": strict(
        {
            "id": ID,
            "phone": PHONE,
            "status": {"enum": list(CallStatus)},
            **_PROGRESS,
            "createdAt": AT,
            "updatedAt": AT,
                    "label": TEXT,
            "comment": {"const": ""},
            "outgoingLineId": NULL,
            "disposition": {"enum": [*Disposition, None], "description": "How it ended; null while it goes on."},
            "sipCode": {"type": ["integer", "null"]},
            "amd": NULL,
            "heardMs": COUNT,
            "tags": array(TEXT),
        },
        description="One dialing of a callee.",
    ),
    "ApiCall": strict(
        _ELEMENT
        | {
            "webhookHeaders": {"type": ["object", "null"], "additionalProperties": TEXT},
            "recognitionGroupId": NULL,
            "generateGroupId": NULL,
            "tag": WORD,
            "tagList": PIPED,
            "smartDelay": {"type": ["integer", "null"]},
            "prevCallId": {"type": ["integer", "null"]},
            "voiceDetectionEnabled": FLAG,
            "startTime": WORD,
            "endTime": WORD,
            "weekdays": {"type": ["array", "null"], "items": {"type": "integer", "minimum": 1, "maximum": 7}},
            "timeout": NUMBER,
            "calls": array(ref("Call")) | {"minItems": 1},
        },
        description="What was asked for one callee, and what has come of it.",
    ),
    "Removed": strict({"id": ID, "apiCallId": ID, "phone": PHONE}, description="A call that is not made."),
    "Record": strict(_RECORD, description="A clip."),
    "NewRecord": strict(_RECORD | {"notes": NOTES}, ["notes"], "A clip, just made."),
    "User": strict(
        {
            "id": ID,
            "name": TEXT,
            "email": TEXT,
            "balance": {"type": "number"},
            "held": {"type": "number", "description": "Of the balance: reserved for calls that wait or go on."},
            "moderated": YES_OR_NO,
            "status": {"enum": list(AccountStatus)},
            "moderatorComment": TEXT,
            "role": {"enum": list(Role)},
            "timezone": TEXT,
            "outgoingPhone": WORD,
            "createdAt": AT,
        },
        description="An account, as it is now.",
    ),
    "OutgoingPhone": strict({"id": ID, "phone": TEXT, "enable": FLAG}, description="A number to call from."),
    "StopListed": strict(
        {"count": COUNT, "accepted": COUNT, "refused": array(ref("Refused"))},
        description="How many numbers were accepted, and which were not.",
    ),
    "Waiting": {
        "description": "An account, or a clip, that waits for a moderator.",
        "oneOf": [
            strict({"kind": {"const": "account"}, "id": ID, "name": TEXT, "createdAt": AT}),
            strict({"kind": {"const": "record"}, "account": TEXT, **_RECORD}),
        ],
    },
    "Decided": strict(
        {
            "kind": {"enum": ["account", "record"]},
            "id": ID,
            "status": {"enum": ["ready", "rejected"]},
            "comment": TEXT,
        },
        description="What a moderator decided.",
    ),
    "Webhook": strict(
        {
            "id": ID,
            "apiCallId": ID,
            "kind": {"enum": ["end", "block"]},
            "url": TEXT,
            "status": {"enum": ["waiting", "delivered", "failed"]},
            "tries": COUNT,
            "nextTryAt": MAYBE_AT,
            "createdAt": AT,
            "headers": HEADERS,
            "body": {"type": "object"},
            "attempts": array(strict(_ATTEMPT)),
        },
        description="What was told to a program of the account, and every try.",
    ),
    "Resent": strict({"id": ID}, description="A webhook that is sent again."),
    "Language": strict({"code": TEXT, "name": TEXT}, description="A language that a voice speaks."),
    "Health": strict(
        {
            "ok": YES_OR_NO,
            **dict.fromkeys(
                ("dialogs", "ports", "tasks", "timers", "calls", "due", "planned", "webhooks"), COUNT
            ),
            "problem": TEXT,
        },
        ["dialogs", "ports", "tasks", "timers", "calls", "due", "planned", "webhooks", "problem"],
        "What is open, and whether all is well.",
    ),
    "Readiness": strict(
        {"ready": YES_OR_NO, "problem": TEXT}, ["problem"], "Whether requests can be taken."
    ),
}  # fmt: skip


def template(saved: dict[str, Any]) -> Schema:
    """A template: what `saveTemplate` was given, told back as it was."""
    own = {"id": ID, "name": TEXT, "createdAt": AT}
    fields = {name: schema for name, schema in saved["properties"].items() if name not in ("apiKey", *own)}
    return strict(own | fields, fields, "A stored request without callees.")
