"""What the reference shows: bodies of webhooks as the service makes them, facts of a call, a check of the signature."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from api import bodies
from api.store.calls import ApiCall, Call, Request
from api.store.schema import CallStatus

_URL = "https://calls.example"
_AT = 1_767_254_400.0
_OPTIONS: dict[str, Any] = {
    "needRecording": 0, "plannedAt": None, "webhookUrl": "https://crm.example/called",
    "webhookParameters": '{"order": 15}', "webhookHeaders": None, "needRecognition": 0, "label": "spring",
    "detectEndOfSpeech": 0, "robotsBlockEnabled": 0, "tag": "welcome", "smartDelay": None, "prevCallId": None,
    "voiceDetectionEnabled": 0, "startTime": None, "endTime": None, "weekdays": None, "timeout": 30,
}  # fmt: skip
_NOTE = {"digit": "1", "id": "", "tag": "yes", "webhook_parameters": '{"order": 15}'}


def _call() -> ApiCall:
    call = Call(
        id=41, request_id=7, api_call_id=40, account_id=1, phone="79991234567", outgoing="79932432781",
        status=CallStatus.FINISHED, waits_for="", due_at=_AT, closes_at=None, owner=None, trunk="main",
        invited_at=_AT, started_at=_AT, answered_at=_AT + 6, finished_at=_AT + 21, created_at=_AT, updated_at=_AT + 21,
        disposition="answered", sip_code=200, hangup_cause=16, heard_ms=11_200, answers=["1"], path=["menu", "menu-1"],
        tags=["welcome", "yes"], to_block=0, manager=None, manager_started_at=None, manager_answered_at=None,
        manager_status=None, held=Decimal(0), cost=Decimal("0.9"),
    )  # fmt: skip
    request = Request(7, 1, _OPTIONS, {}, {"menu-1": {"id": ""}}, None, _AT)
    return ApiCall(40, 1, call.phone, call.outgoing, Decimal("0.9"), 1, 0, _AT, request, [call])


def end() -> str:
    """The body at the end of a call."""
    return json.dumps(bodies.with_try(bodies.end(_call(), _URL), 1), indent=2, ensure_ascii=False)


def block() -> str:
    """The body when a block was reached."""
    return json.dumps(bodies.block(_call(), _NOTE), indent=2, ensure_ascii=False)


FACTS = """\
id: 1
event: dialing
data: {"call": "40", "seq": 1, "at": 1767254400.0, "type": "dialing"}

id: 2
event: answered
data: {"call": "40", "seq": 2, "at": 1767254406.1, "type": "answered"}
"""

# How a receiver knows that a webhook is ours; a test runs the first against what the service signs.
CHECKS = {
    "Python": """\
import base64, hashlib, hmac

def is_from_zvonar(secret: str, headers: dict, body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers["webhook-signature"].split()
    return any(hmac.compare_digest("v1," + made, one) for one in given)
""",
    "PHP": """\
function is_from_zvonar(string $secret, array $headers, string $body): bool {
    $key = base64_decode(substr($secret, strlen('whsec_')));
    $signed = $headers['webhook-id'] . '.' . $headers['webhook-timestamp'] . '.' . $body;
    $made = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
    foreach (explode(' ', $headers['webhook-signature']) as $given) {
        if (hash_equals($made, $given)) return true;
    }
    return false;
}
""",
    "JavaScript": """\
import { createHmac, timingSafeEqual } from "node:crypto";

export function isFromZvonar(secret, headers, body) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const made = Buffer.from("v1," + createHmac("sha256", key).update(signed).digest("base64"));
  return headers["webhook-signature"].split(" ").map((one) => Buffer.from(one))
    .some((given) => given.length === made.length && timingSafeEqual(given, made));
}
""",
}
