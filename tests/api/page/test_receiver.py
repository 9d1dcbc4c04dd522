"""The receiver: whoever knows its address may send, its owner sees what came."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from page_visitor import signed_in

from api import receiving
from api.delivery import signature
from api.guard import own_receivers
from api.store import accounts, receivers
from engine.config import Config, TrunkConfig

BODY = '{"text": "<script>alert(1)</script>"}'


@pytest.fixture
def page(running: Any, client: Any) -> Iterator[httpx2.Client]:
    with signed_in(running.service.database, running.url) as visitor:
        yield visitor


def _address(running: Any) -> str:
    with running.service.database.write() as db:
        return f"{running.url}/receive/{receivers.of_account(db, 1).token}"


def _secret(running: Any) -> str:
    with running.service.database.read() as db:
        account = accounts.by_id(db, 1)
    assert account is not None
    return account.webhook_secret


def _latest(running: Any) -> list[receivers.Caught]:
    with running.service.database.read() as db:
        return receivers.latest(db, 1)


def test_what_came_is_shown_as_text(running: Any, page: httpx2.Client) -> None:
    address = page.get("/receiver").text.partition('readonly value="')[2].partition('"')[0]
    assert address.startswith(f"{running.url}/receive/")
    assert page.get("/receiver/newest").json() == {"newest": 0}
    answer = httpx2.put(f"{address}?a=<b>&c=1", content=BODY, headers={"x-mine": "<i>"})
    assert (answer.status_code, answer.text) == (200, "200\n")
    told = page.get("/receiver").text
    assert "<b>PUT</b>" in told
    assert "&lt;script&gt;alert(1)" in told
    assert "<script>alert(1)" not in told
    assert "x-mine: &lt;i&gt;" in told
    assert "not signed" in told
    assert page.get("/receiver/newest").json()["newest"] > 0
    page.post("/receiver/clear")
    assert "PUT" not in page.get("/receiver").text


def test_a_webhook_of_a_call_arrives_with_a_right_signature(running: Any, client: Any, page: httpx2.Client) -> None:
    client.create(client.record(), webhookUrl=_address(running))
    until = time.monotonic() + 15
    while not _latest(running):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert _latest(running)[0].came.signature == "right"
    assert "signature is right" in page.get("/receiver").text


@pytest.mark.parametrize(
    ("age_s", "changed", "told"), [(0, "", "right"), (301, "", "stale"), (-330, "", "stale"), (0, " ", "wrong")]
)
def test_signatures(running: Any, client: Any, age_s: int, changed: str, told: str) -> None:
    headers = signature(_secret(running), 7, time.time() - age_s, BODY)
    httpx2.post(_address(running), content=BODY + changed, headers=headers)
    assert _latest(running)[0].came.signature == told


def test_it_answers_as_was_chosen(running: Any, page: httpx2.Client) -> None:
    address = _address(running)
    assert page.post("/receiver/answer", data={"status": "503", "delay": "1"}).status_code == 303
    assert httpx2.post(address).status_code == 503
    assert _latest(running)[0].came.status == 503
    for wrong in ({"status": "999", "delay": "0"}, {"status": "200", "delay": "3600"}, {}):
        page.post("/receiver/answer", data=wrong)
        with running.service.database.read() as db:
            mine = receivers.find(db, 1)
        assert mine is not None
        assert (mine.status, mine.delay_ms) == (503, 1000)


def test_an_address_that_was_turned_is_dead(running: Any, page: httpx2.Client) -> None:
    old = _address(running)
    page.post("/receiver/turn")
    assert httpx2.post(old).status_code == 404
    assert httpx2.post(_address(running)).status_code == 200
    assert httpx2.post(f"{running.url}/receive/{'x' * 300}").status_code == 404


def test_of_others_it_turns_nothing(running: Any, client: Any) -> None:
    old = _address(running)
    assert httpx2.post(f"{running.url}/receiver/turn", headers={"sec-fetch-site": "cross-site"}).status_code == 401
    assert httpx2.post(old).status_code == 200


def test_bounds(running: Any, client: Any) -> None:
    address = _address(running)
    assert httpx2.post(address, content=b"x" * (receiving.BODY_BYTES + 1)).status_code == 413
    assert _latest(running) == []
    assert httpx2.post(address, content=b"x" * receiving.BODY_BYTES).status_code == 200
    assert httpx2.post(address, content=b"\x00\xff").status_code == 200
    assert _latest(running)[0].came.body == "\ufffd\ufffd"
    assert httpx2.post(address, headers={f"x-{number}": "y" * 400 for number in range(60)}).status_code == 200
    kept = sum(len(name) + len(value) for name, value in _latest(running)[0].came.headers)
    assert kept <= receiving.HEADERS_CHARACTERS


def test_the_oldest_fall_away(running: Any, client: Any) -> None:
    mine = _address(running)
    with httpx2.Client() as http:
        for number in range(receivers.KEPT + 3):
            assert http.post(mine, content=str(number)).status_code == 200
    kept = _latest(running)
    assert len(kept) == receivers.KEPT
    assert (kept[0].came.body, kept[-1].came.body) == (str(receivers.KEPT + 2), "3")


def test_who_waits_holds_no_thread_and_not_too_many_wait(
    running: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More wait than there are threads; all the others are answered meanwhile."""
    monkeypatch.setattr(receiving, "WAIT_OF_ACCOUNT", 50)
    address, free, waiting = _address(running), threading.Event(), threading.Semaphore(0)

    async def wait(*_: object) -> None:
        waiting.release()
        while not free.is_set():
            await asyncio.sleep(0.01)

    monkeypatch.setattr(receiving, "_wait", wait)
    with running.service.database.write() as db:
        receivers.answer_so(db, 1, 200, 30_000)
    answers: list[int] = []

    def send() -> None:
        answers.append(httpx2.post(address, timeout=60).status_code)

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert waiting.acquire(timeout=30)
        assert httpx2.post(address).status_code == 503  # one too many does not wait
        assert httpx2.get(f"{running.url}/healthz").status_code == 200
    finally:
        free.set()
        for thread in threads:
            thread.join(30)
    assert answers == [200] * 50


def test_our_own_receiver_is_reached_outside_of_the_sandbox_and_nothing_else(
    run_service: Callable[..., Any], config: Config, fake_engine: Any, receiver: Any
) -> None:
    """With a trunk no webhook goes to loopback, but to a receiver of this service at its public address."""
    trunk = TrunkConfig(name="real", server="127.0.0.1:5060", numbers=fake_engine.trunks[0].numbers)
    fake_engine.trunks = [trunk]
    real = config.model_copy(update={"trunk": (trunk,)})
    assert not real.sandboxed
    with run_service(real, fake_engine) as running:
        ours = own_receivers(f"{running.url}/", "127.0.0.1:1")
        running.service._deliverer._ours = ours  # the port is known only now
        client = running.client()
        record, address = client.record(), _address(running)
        client.create(record, webhookUrl=f"{address}?x=1")
        client.create(record, webhookUrl=receiver.url)
        client.create(record, webhookUrl=address)
        with signed_in(running.service.database, running.url) as page:
            until = time.monotonic() + 15
            while len(page.post("/webhooks/list", json={"onlyFailed": 1}).json()["data"]) < 2 or not _latest(running):
                assert time.monotonic() < until
                time.sleep(0.02)
        assert receiver.came.empty()
        assert [kept.came.query for kept in _latest(running)] == [""]


@pytest.mark.parametrize(
    "other",
    [
        "https://dial.example/receive/short", "https://dial.example/receive/" + "a" * 30 + "/../../apiCalls/create",
        "https://dial.example/apiCalls/create", "http://dial.example/receive/" + "a" * 30,
        "https://dial.example:444/receive/" + "a" * 30, "https://dial.example@evil.example/receive/" + "a" * 30,
        "https://dialxexample/receive/" + "a" * 30, "https://dial.example/receive/" + "a" * 30 + "?x",
    ],
)  # fmt: skip
def test_only_the_very_address_of_a_receiver_is_ours(other: str) -> None:
    ours = own_receivers("https://dial.example/", "127.0.0.1:8080")
    assert ours.fullmatch("https://dial.example/receive/" + "a" * 30)
    assert ours.fullmatch("http://127.0.0.1:8080/receive/" + "a" * 30)
    assert not ours.fullmatch(other)
