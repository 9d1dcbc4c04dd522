"""Numbers and trunks: what the store says of all nodes, and what registrations have come to."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from person import Person
from sqlalchemy import event, insert, update

from api.node import Node
from api.overview import MINUTES, Overview, minutes
from api.page.rooms.trunks import picture
from api.recordings import Recordings
from api.store import nodes, traffic
from api.store.accounts import Role
from api.store.database import Database
from api.store.schema import accounts as accounts_table
from api.store.schema import api_calls, calls, requests
from api.store.traffic import Stretch
from engine.config import ApiConfig, RecordingConfig
from engine.trunks import TrunkState

NOW = 1_767_254_430.0  # half a minute after a whole one
MINUTE = int(NOW) // 60


def test_minutes_count_ends_and_what_goes_on() -> None:
    told = minutes(
        [
            Stretch("a", MINUTE - 5, MINUTE - 3, "answered_human", 2),
            Stretch("a", MINUTE - 3, MINUTE - 3, "busy", 1),
            Stretch("a", MINUTE - 3, MINUTE - 3, "trunk_error", 4),
            Stretch("a", MINUTE - 200, MINUTE - 59, "answered", 1),
            Stretch("a", MINUTE - 1, None, None, 7),
        ],
        NOW,
    )
    assert len(told) == MINUTES
    assert told[-1].at == MINUTE * 60
    by_age = {MINUTE - minute.at // 60: minute for minute in told}
    assert [by_age[age].running for age in (5, 4, 3, 2, 1, 0)] == [2, 2, 7, 0, 7, 7]
    assert (by_age[3].answered, by_age[3].failed, by_age[3].faults) == (2, 5, 4)
    assert (by_age[59].answered, by_age[59].running) == (1, 1)
    assert sum(minute.answered + minute.failed for minute in told) == 8


def test_picture_has_one_scale() -> None:
    told = [Stretch("a", MINUTE, MINUTE, "answered", 3), Stretch("a", MINUTE, MINUTE, "busy", 1)]
    drawn = picture(minutes(told, NOW), "Europe/Moscow")
    bar = drawn.bars[-1]
    assert (bar.answered, bar.failed, bar.y_answered, bar.y_failed) == (75, 25, 25, 0)
    assert drawn.running.split()[-1] == "595,0.00"
    assert bar.clock == "11:00"


def _call(db: Any, account: int, **given: Any) -> int:
    request = {"account_id": account, "options": {}, "script": {}, "menu": {}, "created_at": NOW}
    request_id = db.execute(insert(requests).values(request)).inserted_primary_key[0]
    api_call = {
        "request_id": request_id, "account_id": account, "phone": "79990000001", "outgoing": "7", "price": Decimal(0),
        "created_at": NOW,
    }  # fmt: skip
    number = db.execute(insert(api_calls).values(api_call)).inserted_primary_key[0]
    row = {
        "request_id": request_id, "api_call_id": number, "account_id": account, "phone": "79990000001",
        "outgoing": "79932432781", "status": "finished", "due_at": NOW, "created_at": NOW, "updated_at": NOW,
        "heard_ms": 0, "answers": [], "path": [], "tags": [], "to_block": 0, "cost": Decimal(0), "trunk": "sandbox",
    }  # fmt: skip
    return int(db.execute(insert(calls).values(row | given)).inserted_primary_key[0])


def _account(db: Any) -> int:
    row = {
        "name": "a", "key_hash": "h", "key_sealed": "s", "webhook_secret": "w", "balance": Decimal(0),
        "created_at": NOW,
    }  # fmt: skip
    return int(db.execute(insert(accounts_table).values(row)).inserted_primary_key[0])


def test_traffic_is_that_of_all_nodes(database: Database) -> None:
    with database.write() as db:
        me = _account(db)
        one, two = nodes.register(db, NOW), nodes.register(db, NOW)
        for owner in (one, one, two):
            _call(db, me, owner=owner, status="started", started_at=NOW - 5)
        _call(db, me, started_at=NOW - 4, finished_at=NOW - 1, disposition="busy", status="canceled")
        _call(db, me, started_at=NOW - 90, finished_at=NOW - 29.9, disposition="answered")
        _call(db, me, started_at=NOW - 9000, finished_at=NOW - 7000, disposition="answered")  # too long ago
        _call(db, me, finished_at=NOW - 1, disposition="cancelled", status="canceled")  # never began
        _call(db, me, status="created", trunk=None)
    look = Overview(database, lambda: NOW).look()
    assert sorted((now.node, now.count) for now in look.now) == sorted([(one, 2), (two, 1)])
    assert look.starts == {("sandbox", "79932432781"): 4}
    last = look.minutes("sandbox")[-1]
    assert (last.answered, last.failed, last.running) == (1, 1, 5)
    assert look.minutes("sandbox")[-2].running == 1
    assert sum(minute.answered + minute.failed for minute in look.minutes("sandbox")) == 2
    assert look.minutes("other")[-1].running == 0
    assert look.waits == {"turn": 1}


def test_the_last_hour_is_read_from_an_index_alone(database: Database) -> None:
    if database.file is None:
        pytest.skip("PostgreSQL plans by what there is")
    with database.read() as db:
        seen: list[tuple[Any, Any]] = []
        event.listen(db, "before_cursor_execute", lambda *given: seen.append((given[2], given[3])))
        traffic.stretches(db, NOW - 3600)
        statement, values = seen[0]
        plan = db.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values).all()
    assert "COVERING INDEX ix_calls_over" in str(plan)


def test_look_is_shared_for_a_while(database: Database) -> None:
    at = [NOW]
    overview = Overview(database, lambda: at[0])
    first = overview.look()
    at[0] += 1
    assert overview.look() is first
    at[0] += 1.5
    assert overview.look() is not first


def test_page_shows_trunks_numbers_nodes(running: Any) -> None:
    operator = Person(running)
    running.client("payer")
    page = operator.get("/trunks")
    assert "sandbox" in page
    assert "+7 993 243-27-81" in page
    assert "no registration needed" in page
    assert running.service.node_id in page
    assert page.count('class="slot"') == MINUTES
    part = operator.get("/trunks", **{"hx-request": "true"})
    assert part.startswith('<div id="live"')
    assert "<html" not in part


def test_registration_of_each_node_is_told(running: Any) -> None:
    operator = Person(running)
    service = running.service
    trunk = service.trunks[0].model_copy(update={"register_": True, "max_calls": 7, "cps": 2.5})
    service.trunks = [trunk]
    assert "registration is under way" in operator.get("/trunks")
    with service.database.write() as db:
        other = nodes.register(db, time.time())
        told = {"sandbox": {"up": False, "reason": "refused <it> (403)", "at": time.time()}}
        nodes.beat(db, other, time.time(), told)
    service.overview = Overview(service.database, service.now)
    page = operator.get("/trunks")
    assert f"not registered · {other}" in page
    assert "refused &lt;it&gt; (403)" in page
    assert "of 7" in page
    assert "of 2.5" in page


def test_node_tells_its_registrations_when_they_change(database: Database) -> None:
    states = {"t": TrunkState(True, "", NOW)}
    node = Node(database, lambda: NOW, Recordings(RecordingConfig(), ApiConfig(), database), lambda: states)
    assert node.beat()
    with database.write() as db:
        assert nodes.every(db)[0].trunks == {"t": {"up": True, "reason": "", "at": NOW}}
        db.execute(update(nodes.nodes).values(trunks=None))
    assert node.beat()
    with database.read() as db:
        assert nodes.every(db)[0].trunks == {}  # nothing new: it was not written again
    states["t"] = TrunkState(False, "does not answer", NOW)
    assert node.beat()
    with database.read() as db:
        assert nodes.every(db)[0].trunks["t"]["reason"] == "does not answer"


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_others_have_no_entry(running: Any, role: Role) -> None:
    Person(running, role=role).get("/trunks", 403)
