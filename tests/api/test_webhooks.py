"""Webhooks to a real HTTP server: both kinds, in order, again and again, and never too many at once."""

from __future__ import annotations

import json
import queue
import time
from typing import Any

import pytest
from standardwebhooks import Webhook

from api import delivery
from engine import config as configuration


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions come after milliseconds."""
    monkeypatch.setattr(delivery, "AGAIN_S", (0.05, 0.1, 0.1))
    monkeypatch.setattr(delivery, "POLL_S", 0.05)


def test_end_of_the_call(running: Any, client: Any, receiver: Any) -> None:
    parameters = json.dumps({"order": 15, "who": "{phone}"})
    made = client.create(
        client.record(),
        webhookUrl=receiver.url + "/end?x=1",
        webhookParameters=parameters,
        webhookHeaders={"X-Token": "t"},
    )
    path, headers, raw = receiver.came.get(timeout=10)
    body = json.loads(raw)
    assert (path, headers["x-token"], headers["content-type"]) == ("/end?x=1", "t", "application/json")
    assert (body["order"], body["who"]) == (15, "79990000001")
    assert (body["id"], body["apiCallId"], body["status"], body["disposition"]) == (
        made["id"],
        made["id"],
        "finished",
        "answered",
    )
    [shown] = body["apiCalls"]
    assert (shown["id"], shown["webhookTry"], shown["webhookSent"]) == (made["id"], 1, 0)
    told = client.until_over(made["id"])
    assert shown["calls"] == told["calls"]
    assert set(shown) == set(told)
    until = time.monotonic() + 5
    while not client.get(made["id"])["webhookSent"] and time.monotonic() < until:
        time.sleep(0.01)
    assert (client.get(made["id"])["webhookTry"], client.get(made["id"])["webhookSent"]) == (1, 1)
    with running.service.database.read() as db:
        from api.store import accounts

        account = accounts.by_key(db, running.service.database.seal, client.key)
    assert account is not None
    assert Webhook(account.webhook_secret).verify(raw, headers) == body


def test_block_before_end(running: Any, client: Any, receiver: Any, end_fact: Any) -> None:
    running.engine.facts = lambda _dial: [
        {"type": "dialing"},
        {"type": "answered"},
        {"type": "block", "block": "menu", "tags": []},
        {"type": "block", "block": "menu.1", "tags": []},
        end_fact(answers=["1"], path=["menu", "menu.1"]),
    ]
    ivrs = [{"digit": 1, "id": 5, "webhookUrl": receiver.url + "/block", "webhookParameters": '{"phone": "{phone}"}'}]
    receiver.answers = [500]  # the first try of the first one fails, and the second one waits for it
    made = client.create(client.record(), ivrs=ivrs, webhookUrl=receiver.url + "/end")
    came = [receiver.came.get(timeout=15) for _ in range(3)]
    assert [path for path, _, _ in came] == ["/block", "/block", "/end"]
    body = json.loads(came[1][2])
    assert body["phone"] == "79990000001"
    call = body["call"]
    assert (call["apicallId"], call["apiCallId"], call["phone"]) == (made["id"], made["id"], "79990000001")
    assert (call["answer"], call["ivrAnswers"], call["ivr_answers"], call["ivrIdList"]) == ("1", "|1|", "|1|", "|5|")
    assert came[0][1]["webhook-id"] == came[1][1]["webhook-id"] != came[2][1]["webhook-id"]


@pytest.mark.usefixtures("soon")
def test_until_it_arrives(client: Any, receiver: Any) -> None:
    receiver.answers = [500, 302, 404, 201]
    number = client.create(client.record(), webhookUrl=receiver.url)["id"]
    tries = [json.loads(receiver.came.get(timeout=10)[2])["webhookTry"] for _ in range(4)]
    assert tries == [1, 2, 3, 4]
    with pytest.raises(queue.Empty):
        receiver.came.get(timeout=0.5)
    assert (client.get(number)["webhookTry"], client.get(number)["webhookSent"]) == (4, 1)


@pytest.mark.usefixtures("soon")
def test_given_up_at_last(client: Any, receiver: Any) -> None:
    receiver.answers = [500] * 10
    number = client.create(client.record(), webhookUrl=receiver.url)["id"]
    for _ in range(4):
        receiver.came.get(timeout=10)
    with pytest.raises(queue.Empty):
        receiver.came.get(timeout=0.5)
    assert (client.get(number)["webhookTry"], client.get(number)["webhookSent"]) == (4, 0)
    assert client.http.get("/healthz").json()["webhooks"] == 0


def test_a_slow_receiver_holds_up_nobody_else(client: Any, receiver: Any, second_receiver: Any) -> None:
    receiver.pause_s = 1.5
    record = client.record()
    phones = [f"7999000{number:04}" for number in range(150)]
    client.data("create", phones=phones, dutyPhone=1, record={"id": record}, webhookUrl=receiver.url)
    began = time.monotonic()
    client.create(record, webhookUrl=second_receiver.url)
    second_receiver.next()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)  # it is about addresses
def test_never_inside(store_section: Any, fake_engine: Any, run_service: Any, receiver: Any) -> None:
    """With a trunk of our own loopback is as closed as every other inside address."""
    trunk = {"name": "carrier", "server": "192.0.2.1", "numbers": ["79932432781"]}
    closed = configuration.parse({"store": store_section, "trunk": [trunk]})
    fake_engine.trunks = list(closed.trunk)
    with run_service(closed, fake_engine) as running:
        client = running.client()
        number = client.create(client.record(), webhookUrl=receiver.url)["id"]
        until = time.monotonic() + 5
        while not client.get(number)["webhookTry"] and time.monotonic() < until:
            time.sleep(0.02)
        assert (client.get(number)["webhookTry"], client.get(number)["webhookSent"]) == (1, 0)
        assert receiver.came.empty()
    opened = configuration.parse(
        {"store": store_section, "trunk": [trunk], "webhook": {"allow_networks": ["127.0.0.0/8"]}}
    )
    with run_service(opened, fake_engine) as running:
        receiver.next(within_s=15)


def test_trunks_of_accounts(store_section: Any, fake_engine: Any, run_service: Any) -> None:
    trunks = [
        {"name": "all", "server": "192.0.2.1", "numbers": ["79932432781"]},
        {"name": "some", "server": "192.0.2.2", "numbers": ["74951112233"], "accounts": ["me", "7"]},
    ]
    config = configuration.parse({"store": store_section, "trunk": trunks})
    fake_engine.trunks = list(config.trunk)
    with run_service(config, fake_engine) as running:
        mine, other = running.client(), running.client("other")
        assert [kept["phone"] for kept in mine.data("getPhones")] == ["79932432781", "74951112233"]
        assert [kept["phone"] for kept in other.data("getPhones")] == ["79932432781"]
        mine.until_over(mine.create(mine.record(), outgoingPhone="+7 495 111-22-33")["id"])
        assert (fake_engine.dialled[0].trunk, fake_engine.dialled[0].outgoing) == ("some", "74951112233")
        wanted = {"phone": "79990000001", "record": {"id": other.record()}, "outgoingPhone": "74951112233"}
        assert other.refused("create", **wanted)["errors"]["outgoingPhone"]


def test_pauses() -> None:
    tries = range(1, len(delivery.AGAIN_S) + 1)
    assert 0 < delivery.again(1, 0.0, 0.99) <= 10  # type: ignore[operator]
    pauses = [delivery.again(number, 0.0, 0.0) or 0.0 for number in tries]
    assert pauses == sorted(pauses)
    longest = [delivery.again(number, 0.0, 1.0) or 0.0 for number in tries]
    assert 60 * 3600 <= sum(pauses) < sum(longest) <= 72 * 3600
    assert delivery.again(len(delivery.AGAIN_S) + 1, 0.0, 0.0) is None
