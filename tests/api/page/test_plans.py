"""Plans: what waits, in the order in which it is due, and cancelling it."""

from __future__ import annotations

import time
from typing import Any

from person import Person
from test_calls import NOW, filled, owner

from api.store import plan_table
from api.store.accounts import Role
from api.store.database import Database
from api.store.plan_table import Filter


def test_pages_by_due_time_and_reason(database: Database) -> None:
    waits = ["plan", "", "window", "redial", "plan", "plan"]
    account = filled(
        database, 6, status=lambda _: "created", waits_for=lambda place: waits[place], finished_at=lambda _: None,
        disposition=lambda _: None, due_at=lambda place: NOW + 3600 * (6 - place),
    )  # fmt: skip
    with database.read() as db:
        first = plan_table.page(db, account, Filter(), None, 4)
        rest = plan_table.page(db, account, Filter(), first.after, 4)
        assert [row.phone[-1] for row in (*first.rows, *rest.rows)] == list("543210")
        assert rest.after is None
        assert [row.phone[-1] for row in plan_table.page(db, account, Filter("plan"), None, 4).rows] == list("540")
        assert plan_table.count(db, account, Filter("plan")) == 3
        assert plan_table.count(db, account, Filter(phone="79000000002")) == 1
        assert plan_table.hours(db, account, NOW + 1800, 4) == [1, 1, 1, 1]
        assert plan_table.hours(db, account, NOW + 7200, 3) == [2, 1, 1]  # what is late comes first


def test_one_or_all_that_are_filtered_are_cancelled(running: Any) -> None:
    person = Person(running, role=Role.USER)
    client, record = owner(running, person)
    later = int(time.time()) + 3600
    planned = [client.create(record, phone=f"7999000000{place}", plannedAt=later)["id"] for place in range(4)]
    other = running.client("other")
    theirs = other.create(other.record(), plannedAt=later)["id"]
    assert "Waiting: 4" in person.get("/plans")
    assert "Waiting: 1" in person.get("/plans?why=plan&phone=79990000002")
    person.post("/plans/cancel", 303, call=planned[0])
    person.post("/plans/cancel", 303, call=theirs)
    person.post("/plans/cancel", 303, all="1", why="redial", phone="")
    assert "Waiting: 3" in person.get("/plans")
    person.post("/plans/cancel", 303, all="1", why="plan", phone="7 999 000-00-02")
    assert "Waiting: 2" in person.get("/plans")
    person.post("/plans/cancel", 303, all="1", why="", phone="")
    assert "Nothing waits" in person.get("/plans")
    assert [client.get(number)["calls"][0]["disposition"] for number in planned] == ["cancelled"] * 4
    assert other.get(theirs)["calls"][0]["status"] == "created"
