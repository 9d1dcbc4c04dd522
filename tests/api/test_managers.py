"""A manager to connect the callee to, over HTTP: how the number is read, what is told, and what it may cost."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from api.create_fields import Block


def test_the_manager_of_a_call(running: Any, client: Any, end_fact: Any, receiver: Any) -> None:
    now = time.time()
    manager = {"to": "74951234567", "shown": "79932432781", "started_at": now - 9, "answered_at": now - 5,
               "ended_at": now, "status": "answered", "sip_code": 200, "hangup_cause": 16}  # fmt: skip
    running.engine.facts = lambda _dial: [
        {"type": "dialing"}, {"type": "answered"},
        {"type": "transfer_started", "to": "74951234567", "shown": "79932432781", "tried": 1, "at": now - 9},
        {"type": "transfer_answered", "to": "74951234567", "at": now - 5},
        {"type": "transfer_ended", "to": "74951234567", "ended_by": "manager", "duration_ms": 5000},
        end_fact(manager=manager, ended_by="manager"),
    ]  # fmt: skip
    running.engine.hold = True
    made = client.create(
        client.record(), webhookUrl=receiver.url, useOutgoingPhoneForManager=1,
        ivrs=[{"digit": 1, "managerPhone": "8 (495) 123-45-67, 74957654321"}],
    )  # fmt: skip
    until = time.monotonic() + 10
    while client.get(made["id"])["managerAnsweredAt"] is None and time.monotonic() < until:
        time.sleep(0.02)
    going_on = client.get(made["id"])
    assert (going_on["managerStartedAt"], going_on["managerAnsweredAt"]) == (int(now - 9), int(now - 5))
    assert (going_on["managerStatus"], going_on["calls"][0]["status"]) == (None, "answered")
    running.engine.running[str(made["id"])].hangup()
    told = client.until_over(made["id"])["calls"][0]
    keys = ("managerStartedAt", "managerAnsweredAt", "managerStatus")
    assert [told[key] for key in keys] == [int(now - 9), int(now - 5), "answered"]
    body = receiver.next()
    assert [body[key] for key in keys] == [told[key] for key in keys]
    assert [body["apiCalls"][0][key] for key in keys] == [told[key] for key in keys]


@pytest.mark.parametrize(
    "given", ["74951234567", 74951234567, ["8 495 123-45-67", ""], "+7(495)1234567;", {"0": 74951234567}]
)
def test_managers_are_read_as_phones_are(given: Any) -> None:
    assert Block.model_validate({"digit": 1, "managerPhone": given}).manager_phone == ("74951234567",)


@pytest.mark.parametrize("given", [None, "", 0, False, [], [""], "0", "off"])
def test_no_manager(given: Any) -> None:
    assert Block.model_validate({"digit": 1, "managerPhone": given}).manager_phone == ()


def test_managers_of_a_template(running: Any, client: Any) -> None:
    block = {"digit": 1, "managerPhone": "74951234567"}
    template = client.data(
        "saveTemplate", name="x", record={"id": client.record()}, dutyPhone=1, needRecording=1, ivrs=[block],
        useOutgoingPhoneForManager=True,
    )  # fmt: skip
    assert (template["needRecording"], template["ivrs"]) == (1, [block])
    [made] = client.data("createWithTemplate", templateId=template["id"], phones=["79990000001"])
    assert made["needRecording"] == 1
    client.until_over(made["id"])
    [dial] = running.engine.dialled
    assert dial.record_to is not None
    assert [b.transfer.caller_id for b in dial.script.blocks if b.transfer] == ["outgoing"]


def test_the_talk_with_a_manager_is_within_the_money(running: Any) -> None:
    """Less than half an hour is paid for: the script that is dialled is over before the money is."""
    client = running.client("poor", balance="4.6")  # three steps of 1.5
    ivrs = [{"digit": 1, "managerPhone": "74951234567"}]
    [foretold] = client.data(
        "create", phone="79990000001", outgoingPhone="79932432781", record={"id": client.record()}, ivrs=ivrs, dryRun=1
    )
    assert json.loads(foretold["costAtMost"]) == 1.5 * 30
    client.until_over(client.create(client.record(), ivrs=ivrs)["id"])
    assert 170 <= running.engine.dialled[0].script.limits.duration_ms / 1000 < 180
