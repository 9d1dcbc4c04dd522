"""Requests that come at once: the last money is spent once, a key stands for one request, and nothing locks up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import bookkeeping
import httpx2
import pytest

from engine.config import SANDBOX_NUMBERS

LATER = {"plannedAt": int(time.time()) + 86_400}
OUTGOING = SANDBOX_NUMBERS[0]


def at_once(count: int, ask: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """The answers to requests that start together, each from a thread of its own."""
    answers: list[httpx2.Response] = []
    gate = threading.Barrier(count)

    def work(number: int) -> None:
        gate.wait()
        answers.append(ask(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


def replayed(answers: Sequence[httpx2.Response]) -> int:
    return sum(answer.headers.get("idempotent-replay") == "true" for answer in answers)


def test_the_last_money(running: Any, store_url: str) -> None:
    client = running.client("poor", balance="4.5")  # three first steps
    record = client.record()

    def ask(number: int) -> httpx2.Response:
        wanted = {"phone": f"7999000{number:04}", "outgoingPhone": OUTGOING, "record": {"id": record}, **LATER}
        return client.post("create", **wanted)  # type: ignore[no-any-return]

    answers = at_once(20, ask)
    codes = Counter(answer.status_code for answer in answers)
    assert codes[200] == 3, codes
    refused = {answer.json()["data"]["code"] for answer in answers if answer.status_code != 200}
    assert refused == {"balance_low"}
    assert client.data("userInfo")["balance"] == 4.5
    assert bookkeeping.faults(store_url) == []


def test_one_key_at_once(running: Any, store_url: str) -> None:
    """There is money for one call only: whoever comes second must get the reply, and no refusal."""
    client = running.client("careful", balance="1.5")
    wanted = {"phone": "79990000001", "outgoingPhone": OUTGOING, "record": {"id": client.record()}, **LATER}
    body = {"apiKey": client.key, **wanted}
    headers = {"idempotency-key": "k1"}
    answers = at_once(10, lambda _: client.http.post("/apiCalls/create", json=body, headers=headers))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    assert replayed(answers) == 9
    other = client.http.post("/apiCalls/create", json={**body, "phone": "79990000002"}, headers=headers)
    assert (other.status_code, other.json()["data"]["code"]) == (422, "idempotency_key_reused")
    assert bookkeeping.faults(store_url) == []


def test_other_bodies_under_one_key_at_once(running: Any, store_url: str) -> None:
    client = running.client("confused", balance="1000")
    record, headers = client.record(), {"idempotency-key": "k2"}

    def ask(number: int) -> httpx2.Response:
        wanted = {"phone": f"7999000{number:04}", "outgoingPhone": OUTGOING, "record": {"id": record}, **LATER}
        return client.http.post("/apiCalls/create", json={"apiKey": client.key, **wanted}, headers=headers)  # type: ignore[no-any-return]

    answers = at_once(10, ask)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 9}
    assert {answer.json()["data"].get("code") for answer in answers if answer.status_code == 422} == {
        "idempotency_key_reused"
    }
    assert bookkeeping.faults(store_url) == []


def test_a_clip_is_charged_once(running: Any, store_url: str) -> None:
    client = running.client("speaker", balance="0.9")
    body = {"apiKey": client.key, "text": "Здравствуйте, это проверка", "gender": 0}
    headers = {"idempotency-key": "k3"}
    answers = at_once(10, lambda _: client.http.post("/apiCalls/createRecord", json=body, headers=headers))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    assert replayed(answers) == 9
    assert client.data("userInfo")["balance"] == 0
    assert len(client.data("getRecords")) == 1
    assert bookkeeping.faults(store_url) == []


def test_everything_at_once(
    running: Any, store_url: str, end_fact: Any, sound: Any, request: pytest.FixtureRequest
) -> None:
    """Creates, removes of many, redials and ends on one account: no request breaks, and the books are right."""
    client = running.client("busy", balance="900000")
    record = client.record(sound(70.0))  # more than a step: more is held when a call is dialled
    running.engine.most = 40
    running.engine.facts = lambda dial: [
        {"type": "dialing"},
        end_fact("busy") if int(dial.to) % 3 == 0 else end_fact(),
    ]
    until = time.monotonic() + 4
    answers: Counter[int] = Counter()
    removed: list[int] = []

    def create(number: int) -> None:
        serial = 0
        while time.monotonic() < until:
            phones = [f"79{number}{serial:04}{place:04}" for place in range(1500 if number < 2 else 20)]
            wanted = {"phones": phones, "dutyPhone": 1, "record": {"id": record}, "smartDelay": 2}
            answer = client.post("create", **wanted, **(LATER if serial % 2 else {}))
            answers[answer.status_code] += 1
            serial += 1
            mine = [one["id"] for one in answer.json()["data"]]
            gone = client.post("remove", idList=mine[::-1] if number % 2 else mine)
            answers[gone.status_code] += 1
            removed.extend(gone.json()["data"])

    threads = [threading.Thread(target=create, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert bookkeeping.faults(store_url) == []
    for thread in threads:
        thread.join()
    assert removed, answers
    assert set(answers) == {200}, answers
    if store_url.startswith("postgresql"):
        assert "deadlock" not in request.getfixturevalue("postgres").log_end(10_000)
    deadline = time.monotonic() + 20
    while running.engine.running or client.http.get("/healthz").json()["due"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bookkeeping.faults(store_url) == []
