"""The room of errors: what the API refuses is counted, by hour, method and code."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from page_visitor import signed_in

from api.page.rooms.refusals import HEIGHT, WIDTH, bars
from api.refusal_counts import RefusalCounts
from api.store import accounts, refusals
from api.store.database import Database
from api.store.refusals import HOUR_S, Kind


@pytest.fixture
def page(running: Any, client: Any) -> Iterator[httpx2.Client]:
    with signed_in(running.service.database, running.url) as visitor:
        yield visitor


def test_what_is_refused_is_counted(running: Any, client: Any, page: httpx2.Client) -> None:
    for _ in range(3):
        client.refused("create", phone="1")
    client.refused("deleteRecord", id=77)
    client.http.post("/apiCalls/create", json={"apiKey": "x" * 60})  # nobody's
    client.data("userInfo")
    running.service.refusals.write()
    with running.service.database.read() as db:
        told = [(one.method, one.code, one.count) for one in refusals.totals(db, 1, 0)]
    assert told == [("create", "field_invalid", 3), ("deleteRecord", "record_unknown", 1)] or told[0] == (
        "create", "phone_invalid", 3
    )  # fmt: skip
    shown = page.get("/refusals?days=1").text
    assert f'href="/errors/{told[0][1]}"' in shown
    assert shown.count("<rect") == 1
    assert '<b class="big">4</b>' in shown


def test_of_others_nothing_is_counted(running: Any, client: Any, page: httpx2.Client) -> None:
    other = running.client("other")
    other.refused("create")
    running.service.refusals.write()
    assert "Nothing was refused" in page.get("/refusals").text


def test_odd_spans_are_the_usual_one(page: httpx2.Client) -> None:
    for days in ("0", "-1", "1e9", "<b>", ""):
        assert page.get("/refusals", params={"days": days}).status_code == 200


def test_counts_add_up_in_the_store(database: Database) -> None:
    with database.write() as db:
        accounts.add(db, database.seal, "me", balance=Decimal(0), moderated=True, now=0)
    counts = RefusalCounts(database)
    for _ in range(2):
        for _ in range(2):
            counts.add(1, "create", "field_invalid", 5 * HOUR_S + 1)
        counts.add(1, "create", "field_invalid", 6 * HOUR_S)
        counts.write()
    counts.write()
    with database.read() as db:
        assert refusals.by_hour(db, 1, 0) == {5: 4, 6: 2}
        assert refusals.by_hour(db, 1, 6) == {6: 2}
    with database.write() as db:
        refusals.forget(db, 6 * HOUR_S + refusals.KEPT_S)
        assert refusals.by_hour(db, 1, 0) == {6: 2}


def test_a_store_that_fails_loses_only_counts(database: Database) -> None:
    counts = RefusalCounts(database)
    counts.add(404, "create", "internal", 0)  # there is no such account
    counts.write()
    with database.read() as db:
        assert refusals.by_hour(db, 404, 0) == {}


def test_counts_are_written_at_the_end(run_service: Any, config: Any, fake_engine: Any) -> None:
    with run_service(config, fake_engine) as running:
        running.client().refused("create")
    with run_service(config, fake_engine) as again, again.service.database.read() as db:
        assert sum(refusals.by_hour(db, 1, 0).values()) == 1


def test_bars() -> None:
    drawn = bars({10: 5, 12: 10}, 10, 13)
    assert [(bar.x, bar.height, bar.many) for bar in drawn] == [(0, HEIGHT / 2, 5), (WIDTH / 2, HEIGHT, 10)]
    assert bars({}, 0, 10) == []


def test_kinds_are_written_in_one_order() -> None:
    assert sorted([Kind(2, 1, "a", "b"), Kind(1, 2, "a", "b")])[0].account_id == 1
