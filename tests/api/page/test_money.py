"""The room of money: the ledger by pages, kinds and days, and what a call would cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from page_visitor import signed_in

from api.store import money
from api.store.money import Filter

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture
def page(running: Any, client: Any) -> Iterator[httpx2.Client]:
    with signed_in(running.service.database, running.url) as visitor:
        yield visitor


def _credits(running: Any, count: int, at: float, comment: str = "gift") -> None:
    with running.service.database.write() as db:
        for number in range(count):
            money.credit(db, 1, Decimal("1.25"), f"{comment} {number}", at + number)


def test_a_call_is_a_line_that_leads_to_it(client: Any, page: httpx2.Client) -> None:
    made = client.create(client.record())
    client.until_over(made["id"])
    told = page.get("/money").text
    assert f'<a href="/calls/{made["id"]}">+7 999 000-00-01</a>' in told
    assert "-1.5" in told
    assert "998.5" in told


def test_by_kind(client: Any, page: httpx2.Client, running: Any) -> None:
    made = client.create(client.record())
    client.until_over(made["id"])
    assert "opening" not in page.get("/money?kind=call").text
    assert f"/calls/{made['id']}" not in page.get("/money?kind=credit").text
    assert page.get("/money?kind=<b>").status_code == 200


def test_turned_over_by_key(running: Any, client: Any, page: httpx2.Client) -> None:
    _credits(running, 60, running.service.now())
    first = page.get("/money?kind=credit").text
    assert "gift 59" in first
    assert "gift 9<" not in first
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "kind=credit" in older
    second = page.get(older).text
    assert "gift 9<" in second
    assert "gift 10<" not in second
    assert "opening balance" in second


def test_days_are_those_of_the_account(running: Any, client: Any, page: httpx2.Client) -> None:
    midnight = datetime(2026, 3, 5, tzinfo=MOSCOW).timestamp()
    _credits(running, 1, midnight - 1, "before")
    _credits(running, 1, midnight, "first")
    _credits(running, 1, midnight + 86_399, "last")
    _credits(running, 1, midnight + 86_400, "after")
    told = page.get("/money?since=2026-03-05&until=2026-03-05").text
    assert "first 0" in told
    assert "last 0" in told
    assert "before 0" not in told
    assert "after 0" not in told
    for odd in ("since=x", "since=0001-01-01", "until=9999-12-31", "since=2026-13-45", "since=9999-12-31"):
        assert page.get(f"/money?{odd}").status_code == 200


def test_lines_whose_times_cross_are_all_found(running: Any, client: Any) -> None:
    """A transaction may be numbered after one that took its time later."""
    for at in (1003.0, 1001.0, 1004.0, 1002.0):
        _credits(running, 1, at)
    with running.service.database.read() as db:
        found = money.page(db, 1, Filter(since=1002.0, until=1004.0), None, 10)
    assert [entry.line.created_at for entry in found] == [1002.0, 1003.0]


def test_csv_is_what_is_filtered_and_no_formula(running: Any, client: Any, page: httpx2.Client) -> None:
    with running.service.database.write() as db:
        money.credit(db, 1, Decimal("-2.5"), "=HYPERLINK(1)", running.service.now())
    answer = page.get("/money.csv?kind=credit")
    assert answer.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:5] == ["Number", "Time", "Kind", "Amount", "Balance after it"]
    assert rows[1][2:5] == ["credit", "-2.5", "997.5"]
    assert rows[1][8] == "'=HYPERLINK(1)"
    assert len(rows) == 3
    assert "Номер;Время" in page.get("/money.csv", headers={"accept-language": "ru"}).text


@pytest.mark.parametrize(
    ("seconds", "cost", "steps"), [("1", "1.5", "1"), ("60", "1.5", "1"), ("61", "3", "2"), ("86400", "2,160", "1440")]
)
def test_what_a_call_would_cost(page: httpx2.Client, seconds: str, cost: str, steps: str) -> None:
    told = page.get("/money", params={"phone": "8 (999) 123-45-67", "seconds": seconds}).text
    assert f"<b>{cost}</b>" in told
    assert f"{steps} × 1.5" in told
    assert ("does not suffice" in told) == (seconds == "86400")


@pytest.mark.parametrize(("phone", "seconds"), [("1", "60"), ("79991234567", "0"), ("", ""), ("79991234567", "9" * 30)])
def test_what_cannot_be_reckoned_is_said_and_kept(page: httpx2.Client, phone: str, seconds: str) -> None:
    answer = page.get("/money", params={"phone": phone, "seconds": seconds})
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{phone}"' in answer.text
