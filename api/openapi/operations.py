"""Every method of the contract in words: what it does, what it reads, what it tells, which refusals it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from api import blacklist, create_fields, get, moderation, record, templates, webhooks
from api.fields import Fields
from api.kinds import Schema
from api.openapi.shapes import array, ref
from api.problems import Code

CALLS, CLIPS, TEMPLATES = "Calls", "Clips", "Templates"
ACCOUNT, MODERATION, WEBHOOKS, SERVICE = "Account", "Moderation", "Webhooks", "Service"
TAGS = {
    CALLS: "Calls: asked for, looked at, cancelled.",
    CLIPS: "What is played to callees.",
    TEMPLATES: "Requests that are kept, to be used again.",
    ACCOUNT: "The account, its numbers, and whom it must not call.",
    MODERATION: "Accounts and clips that wait for a moderator. For accounts with that role.",
    WEBHOOKS: "What was told to your programs.",
    SERVICE: "Whether the service runs, and how.",
}


class Nothing(Fields):
    """The account's key is all that is needed."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`codes` are the refusals beside those that any method has; `changes`: it takes an `Idempotency-Key`."""

    tag: str
    summary: str
    fields: type[BaseModel]
    data: Schema
    example: Mapping[str, Any]
    codes: tuple[Code, ...] = ()
    changes: bool = False
    more: str = ""


_ELEMENTS = array({"anyOf": [ref("Queued"), ref("Refused"), ref("Foretold")]})
_CALLEE = (Code.PHONE_INVALID, Code.PHONE_STOPPED, Code.BALANCE_LOW)
_SPEECH = (
    Code.TEXT_REFUSED, Code.LANGUAGE_UNKNOWN, Code.SPEECH_UNAVAILABLE, Code.MODERATION_NEEDED, Code.BALANCE_LOW,
)  # fmt: skip
_MENU: dict[str, Any] = {
    "record": {"id": 1},
    "ivrs": [
        {"digit": 1, "tag": "yes", "record": {"id": 1}, "webhookUrl": "http://127.0.0.1:9000/yes"},
        {"digit": 9, "tag": "stop", "needBlock": 1},
    ],
    "webhookUrl": "http://127.0.0.1:9000/called",
    "webhookParameters": '{"order": 15}',
}
_LAUNCH = (
    "The reply has an element for each callee, in order. One who cannot be called is an element with `status` `error` "
    "between the others; if nobody can be called, the request is refused."
)

OPERATIONS: Mapping[str, Operation] = {
    "/apiCalls/createRecord": Operation(
        CLIPS, "Keep a clip", record.CreateRecord, ref("NewRecord"),
        {"name": "reminder", "source": "text", "text": "Good morning! Press 1 to confirm.", "gender": 0},
        (*_SPEECH, Code.RECORD_UNKNOWN, *(code for code in Code if code.startswith("clip_"))),
        changes=True,
        more="A file comes as a part of `multipart/form-data`: wav, mp3, ogg, opus, webm, m4a, aac, amr or flac.",
    ),
    "/apiCalls/create": Operation(
        CALLS, "Call people", create_fields.Create, _ELEMENTS,
        {"phone": "79990000001", "outgoingPhone": "79932432781"} | _MENU,
        (Code.OPTION_UNAVAILABLE, Code.RECORD_UNKNOWN, *_CALLEE, *_SPEECH),
        changes=True, more=_LAUNCH,
    ),
    "/apiCalls/get": Operation(
        CALLS, "What has come of calls", get.Get, array(ref("ApiCall")), {"apiCallIdList": [1]},
        more="Numbers that are unknown, or of another account, are left out.",
    ),
    "/apiCalls/remove": Operation(
        CALLS, "Cancel calls that have not begun", get.Remove, array(ref("Removed")), {"idList": [1]},
        changes=True, more="Those that were cancelled are told back.",
    ),
    "/apiCalls/getRecords": Operation(CLIPS, "All clips of the account", Nothing, array(ref("Record")), {}),
    "/apiCalls/deleteRecord": Operation(
        CLIPS, "Delete a clip", record.DeleteRecord, ref("Record"), {"id": 2},
        (Code.RECORD_UNKNOWN, Code.RECORD_IN_USE), changes=True,
        more="Refused while a call that waits or a template needs it.",
    ),
    "/apiCalls/saveTemplate": Operation(
        TEMPLATES, "Keep a request", create_fields.SaveTemplate, ref("Template"),
        {"name": "reminder", "outgoingPhone": "79932432781"} | _MENU,
        (Code.OPTION_UNAVAILABLE, Code.PHONE_INVALID, Code.RECORD_UNKNOWN, Code.MODERATION_NEEDED), changes=True,
    ),
    "/apiCalls/getTemplates": Operation(
        TEMPLATES, "The account's templates", templates.GetTemplates, array(ref("Template")), {"onlyModerated": 0}
    ),
    "/apiCalls/createWithTemplate": Operation(
        TEMPLATES, "Call people as a template says", create_fields.CreateWithTemplate, _ELEMENTS,
        {"templateId": 1, "phones": ["79990000001", "79990000003"], "outgoingPhone": ""},
        (Code.OPTION_UNAVAILABLE, Code.TEMPLATE_UNKNOWN, Code.RECORD_UNKNOWN, *_CALLEE, *_SPEECH),
        changes=True, more=_LAUNCH,
    ),
    "/apiCalls/getWithTemplates": Operation(
        TEMPLATES, "What has come of calls made from templates", get.Get, array(ref("ApiCall")), {"apiCallIdList": [2]}
    ),
    "/apiCalls/userInfo": Operation(ACCOUNT, "The account, as it is now", Nothing, ref("User"), {}),
    "/apiCalls/getPhones": Operation(
        ACCOUNT, "The numbers that the account may call from", Nothing, array(ref("OutgoingPhone")), {}
    ),
    "/apiBlacklist/addPhonesFromApi": Operation(
        ACCOUNT, "Put numbers on the stop list", blacklist.AddPhones, ref("StopListed"),
        {"phones": [{"phone": "79991234567", "comment": "asked not to be called"}]}, (Code.PHONE_INVALID,),
        changes=True, more="They are not called any more.",
    ),
    "/moderation/list": Operation(
        MODERATION, "What waits for a moderator", Nothing, array(ref("Waiting")), {}, (Code.ROLE_MISSING,)
    ),
    "/moderation/accept": Operation(
        MODERATION, "It may be used from now on", moderation.Decision, ref("Decided"), {"kind": "account", "id": 1},
        (Code.ROLE_MISSING,), changes=True, more="With an account, those of its clips that wait are accepted too.",
    ),
    "/moderation/reject": Operation(
        MODERATION, "It may not be used", moderation.Rejection, ref("Decided"),
        {"kind": "record", "id": 1, "comment": "Nothing can be understood."}, (Code.ROLE_MISSING,), changes=True,
    ),
    "/webhooks/list": Operation(
        WEBHOOKS, "Webhooks and their tries, newest first", webhooks.ListWebhooks, array(ref("Webhook")),
        {"onlyFailed": 1},
        more="At most 200.",
    ),
    "/webhooks/resend": Operation(
        WEBHOOKS, "Send webhooks again", webhooks.Resend, array(ref("Resent")), {"failedSince": 1760000000},
        changes=True,
    ),
}  # fmt: skip
