"""The room of webhooks: what it shows, how it is turned over, and sending again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from page_visitor import signed_in
from sqlalchemy import insert, text

from api.store import outbox as store
from api.store.schema import outbox

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def page(running: Any, client: Any) -> Iterator[httpx2.Client]:
    with signed_in(running.service.database, running.url) as visitor:
        yield visitor


def _many(running: Any, call: int, count: int, **changed: Any) -> None:
    """Webhooks of that call that failed once and wait for ever."""
    row = {
        "account_id": 1, "api_call_id": call, "kind": "end", "url": "http://a.example/", "host": "a.example:80",
        "headers": {}, "body": {}, "tries": 1, "next_at": time.time() + 1e6, "created_at": time.time(),
        "done_at": time.time(), "delivered": False, **changed,
    }  # fmt: skip
    with running.service.database.write() as db:
        db.execute(insert(outbox), [row] * count)


def _told_once(client: Any, receiver: Any, answer: int) -> dict[str, Any]:
    receiver.answers.append(answer)
    made = client.create(client.record(), webhookUrl=f"{receiver.url}/?{HOSTILE}")
    receiver.next()
    return dict(made)


def _until(ask: Callable[[], httpx2.Response], wanted: str) -> str:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        told = ask().text
        if wanted in told:
            return told
        time.sleep(0.02)
    raise AssertionError(f"{wanted} does not come up")


def test_a_delivery_is_shown_with_its_try(client: Any, page: httpx2.Client, receiver: Any) -> None:
    made = _told_once(client, receiver, 204)
    listed = _until(lambda: page.get("/webhooks"), "delivered")
    assert f'href="/calls/{made["id"]}"' in listed
    one = page.get("/webhooks/1").text
    assert "webhook-signature: v1," in one
    assert f"&#34;apiCallId&#34;: {made['id']}" in one or f"&#34;id&#34;: {made['id']}" in one
    assert HOSTILE not in listed + one
    assert "&lt;script&gt;" in listed


def test_failed_only(client: Any, page: httpx2.Client, receiver: Any) -> None:
    _told_once(client, receiver, 204)
    _until(lambda: page.get("/webhooks"), "delivered")
    assert "/webhooks/1" not in page.get("/webhooks?state=failed").text
    _told_once(client, receiver, 500)
    told = _until(lambda: page.get("/webhooks?state=failed"), "/webhooks/2")
    assert "waits for its next try" in told
    assert "/webhooks/1" not in told
    assert page.get("/webhooks/failed?since=1").json() == {"count": 1, "more": False}


def test_turned_over_by_key(running: Any, client: Any, page: httpx2.Client, receiver: Any) -> None:
    call = _told_once(client, receiver, 204)["id"]
    _many(running, call, 60)
    first = page.get("/webhooks").text
    assert "/webhooks/61" in first
    assert 'href="/webhooks?before=12"' in first
    second = page.get("/webhooks?before=12").text
    assert "/webhooks/11" in second
    assert "/webhooks/12" not in second
    assert 'rel="next"' not in second
    assert 'rel="next"' in page.get("/webhooks?host=a.example:80").text
    assert "/webhooks/61" not in page.get("/webhooks?host=b.example:80").text
    assert "/webhooks/61" not in page.get("/webhooks?call=99").text


def test_what_fits_no_filter_is_harmless(page: httpx2.Client) -> None:
    for query in (
        "before=-1",
        "before=x",
        "before=99999999999999999999",
        f"host={'x' * 5000}",
        "host=%00",
        "call=<b>",
        "state=no",
    ):
        assert page.get(f"/webhooks?{query}").status_code == 200


def test_of_others_nothing_is_shown(running: Any, client: Any, page: httpx2.Client, receiver: Any) -> None:
    _told_once(client, receiver, 204)
    _until(lambda: page.get("/webhooks"), "delivered")
    running.client("other")
    with signed_in(running.service.database, running.url, "other") as other:
        assert other.get("/webhooks/1").status_code == 404
        assert "/webhooks/1" not in other.get("/webhooks").text
        assert other.get("/webhooks/failed").json()["count"] == 0


def test_all_that_failed_are_sent_again_once(running: Any, client: Any, page: httpx2.Client, receiver: Any) -> None:
    call = _told_once(client, receiver, 204)["id"]
    _until(lambda: page.get("/webhooks"), "delivered")
    _many(running, call, 3, url=receiver.url, host=store.host_of(receiver.url))
    asked = {"json": {"failedSince": 1}, "headers": {"Idempotency-Key": "dialog"}}
    first, again = (page.post("/webhooks/resend", **asked) for _ in range(2))
    assert [sent["id"] for sent in first.json()["data"]] == [2, 3, 4]
    assert again.headers["idempotent-replay"] == "true"
    assert len([receiver.next() for _ in range(3)]) == 3
    _until(lambda: page.get("/webhooks/failed?since=1"), '"count":0')
    assert receiver.came.empty()


def test_sending_again_is_bounded(running: Any, client: Any, monkeypatch: pytest.MonkeyPatch, receiver: Any) -> None:
    call = _told_once(client, receiver, 204)["id"]
    _many(running, call, 5)
    monkeypatch.setattr(store, "AGAIN_AT_ONCE", 3)
    with running.service.database.write() as db:
        assert store.send_again(db, 1, time.time() + 1e6, numbers=None, failed_since=1) == [2, 3, 4]


def test_pages_are_read_by_indexes(running: Any, client: Any) -> None:
    """No plan reads the whole table, or sorts."""
    database = running.service.database
    if database.file is None:
        pytest.skip("a small table is read whole by PostgreSQL's planner, and rightly so")
    with database.read() as db:
        for which in ("", "delivered IS 0 AND tries > 0 AND", "host = 'a' AND", "api_call_id = 1 AND"):
            asked = f"SELECT id FROM outbox WHERE account_id = 1 AND {which} id < 9 ORDER BY id DESC LIMIT 50"
            plan = " ".join(str(row[3]) for row in db.execute(text(f"EXPLAIN QUERY PLAN {asked}")))
            assert "SEARCH outbox USING" in plan
            assert "TEMP B-TREE" not in plan
