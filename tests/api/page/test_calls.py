"""The table of calls, its CSV, one call's page, and a call as it happens."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from person import Person
from sqlalchemy import insert, select, update

from api.page import asked, call_filter, sheet, timeline
from api.page.telling import Teller
from api.store import accounts, call_table
from api.store.accounts import Role
from api.store.call_table import Filter
from api.store.database import Database
from api.store.schema import api_calls, calls, requests

GOOD, OUTGOING = "79990000001", "79932432781"
NOW = 1_700_000_000.0
OPTIONS = {"label": "shop", "timeout": 30}


def filled(database: Database, count: int, name: str = "me", **changed: Callable[[int], Any]) -> int:
    """An account with so many calls that are over; `changed` gives columns by the number of the call, from 0."""
    with database.write() as db:
        account, _ = accounts.add(db, database.seal, name, balance=Decimal(9), moderated=True, now=NOW)
        row = {"account_id": account.id, "options": OPTIONS, "script": {}, "menu": {}, "created_at": NOW}
        request = db.execute(insert(requests).values(row)).inserted_primary_key
        assert request is not None
        for place in range(count):
            own = {
                "account_id": account.id,
                "request_id": request[0],
                "phone": f"7900000{place:04}",
                "outgoing": OUTGOING,
            }
            made = db.execute(insert(api_calls).values(**own, price=Decimal(0), created_at=NOW)).inserted_primary_key
            assert made is not None
            db.execute(insert(calls).values(**own | {
                "api_call_id": made[0], "status": "finished", "waits_for": "", "due_at": NOW, "created_at": NOW + place,
                "updated_at": NOW, "finished_at": NOW, "disposition": "answered", "heard_ms": 1000, "answers": [],
                "path": [], "tags": [], "to_block": 0, "cost": Decimal("1.5"),
            } | {key: value(place) for key, value in changed.items()}))  # fmt: skip
        return account.id


def phones(database: Database, account: int, wanted: Filter, before: int | None = None, most: int = 50) -> list[str]:
    with database.read() as db:
        return [row.phone[-4:] for row in call_table.page(db, account, wanted, before, most).rows]


def test_pages_go_down_and_up_again(database: Database) -> None:
    account = filled(database, 7)
    filled(database, 3, "other")
    seen, before, pages = [], None, []
    with database.read() as db:
        while True:
            page = call_table.page(db, account, Filter(), before, 3)
            pages.append([row.id for row in page.rows])
            seen += [row.phone[-4:] for row in page.rows]
            before = page.older
            if before is None:
                break
        assert seen == ["0006", "0005", "0004", "0003", "0002", "0001", "0000"]
        assert call_table.newer(db, account, Filter(), pages[1][0], 3) is None  # the newest page is the table itself
        key = call_table.newer(db, account, Filter(), pages[2][0], 3)
        assert [row.id for row in call_table.page(db, account, Filter(), key, 3).rows] == pages[1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(disposition="busy"), ["0004", "0001"]),
        (Filter(phone="79000000002"), ["0002"]),
        (Filter(ending="0003"), ["0003"]),
        (Filter(outgoing="74950000000"), ["0002"]),
        (Filter(tag='да"'), ["0005"]),
        (Filter(tag="да"), []),
        (Filter(label="shop", disposition="busy"), ["0004", "0001"]),
        (Filter(label="sho"), []),
        (Filter(state="waiting"), ["0003"]),
        (Filter(state="going_on"), ["0000"]),
        (Filter(state="over"), ["0005", "0004", "0002", "0001"]),
        (Filter(since=NOW + 2, until=NOW + 4), ["0003", "0002"]),
        (Filter(since=NOW + 100), []),
    ],
)
def test_filters(database: Database, wanted: Filter, found: list[str]) -> None:
    status = {0: "started", 3: "created"}
    account = filled(
        database, 6,
        status=lambda place: status.get(place, "finished"),
        finished_at=lambda place: None if place in status else NOW,
        disposition=lambda place: None if place in status else "busy" if place in (1, 4) else "answered",
        outgoing=lambda place: "74950000000" if place == 2 else OUTGOING,
        tags=lambda place: ['да"'] if place == 5 else [],
    )  # fmt: skip
    assert phones(database, account, wanted) == found


def test_looks_only_so_far_and_says_how_far(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_table, "LOOKED_AT", 4)
    account = filled(database, 10, tags=lambda place: ["rare"] if place == 1 else [])
    with database.read() as db:
        first = call_table.page(db, account, Filter(tag="rare"), None, 50)
        assert (first.rows, first.looked_until) == ([], NOW + 6)
        second = call_table.page(db, account, Filter(tag="rare"), first.older, 50)
        assert (second.rows, second.looked_until) == ([], NOW + 2)
        third = call_table.page(db, account, Filter(tag="rare"), second.older, 50)
        assert ([row.phone[-4:] for row in third.rows], third.older, third.looked_until) == (["0001"], None, None)
    assert [row.phone[-4:] for part in call_table.every(database, account, Filter(tag="rare")) for row in part] == [
        "0001"
    ]


def test_what_is_searched_for() -> None:
    for text, filter_ in (
        ("8 (916) 123-45-67", Filter(phone="79161234567")), ("916 123 45 67", Filter(phone="79161234567")),
        ("+49 30 123456789", Filter(phone="4930123456789")), ("45-67", Filter(ending="4567")),
        ("#42", Filter(number=42)), ("№ 42", Filter(number=42)), ("'; drop", Filter(phone="-")), ("", Filter()),
    ):  # fmt: skip
        assert call_filter.read({"q": text}, "UTC") == filter_
    days = call_filter.read({"from": "2026-03-01", "to": "2026-03-01"}, "Europe/Moscow")
    assert days.until is not None
    assert days.since is not None
    assert days.until - days.since == 86_400
    assert call_filter.read({"from": "9999-99-99", "state": "x", "result": "y"}, "UTC") == Filter()


def test_csv_is_text_for_a_spreadsheet() -> None:
    told = "".join(sheet.lines(["a", "b"], [["=1+1", "79161234567"], ['x";y', None], ["-2", "@a"]], "ru"))
    assert told.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(told[1:]), delimiter=";")) == [
        ["a", "b"], ["'=1+1", "79161234567"], ['x";y', ""], ["'-2", "'@a"],
    ]  # fmt: skip
    assert [sheet.cell(text) for text in ("+7", "\tx", "a=b", 5)] == ["'+7", "'\tx", "a=b", 5]


def test_table_and_csv_of_ones_own(running: Any) -> None:
    person = Person(running, role=Role.USER)
    client, record = owner(running, person)
    number = client.create(record, label="<b>=cmd</b>", webhookUrl=None)["id"]
    client.until_over(number)
    other = running.client("other")
    theirs = other.create(other.record(), phone="79990000002")["id"]
    table = person.get("/calls")
    assert f"/calls/{number}" in table
    assert f"/calls/{theirs}" not in table
    rows = person.get("/calls?result=answered", **{"hx-request": "true"})
    assert "<html" not in rows
    assert f"/calls/{number}" in rows
    assert "No call is like that." in person.get("/calls?result=busy")
    person.get(f"/calls/{theirs}", 404)
    person.post(f"/calls/{theirs}/webhook", 404, webhook="1")
    answer = person.http.get("/calls.csv", headers={"accept-language": "ru"})
    told = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    assert [row[0] for row in told] == ["Звонок", str(number)]
    assert GOOD in told[1]
    assert "1,2" in told[1]


def test_rows_that_are_the_same_are_not_sent_again(running: Any) -> None:
    person = Person(running, role=Role.USER)
    client, record = owner(running, person)
    running.engine.hold = True
    number = client.create(record)["id"]
    wait(lambda: client.get(number)["calls"][0]["status"] == "answered")
    assert "data-open" in person.get("/calls")
    tag = person.http.get("/calls", headers={"hx-request": "true"}).headers["etag"]
    asked_for = {"hx-request": "true", "if-none-match": tag}
    assert person.http.get("/calls", headers=asked_for).status_code == 304
    running.engine.running[str(number)].hangup()
    client.until_over(number)
    assert "data-open" not in person.get("/calls", **asked_for)


def owner(running: Any, person: Person) -> tuple[Any, int]:
    """A program of that person's account, and a clip of it."""
    client = running.client("program of it")
    with running.service.database.write() as db:
        key = db.execute(select(accounts.accounts).where(accounts.accounts.c.name == "program of it")).one()
        db.execute(update(accounts.accounts).where(accounts.accounts.c.id == key.id).values(key_hash="gone"))
        mine = update(accounts.accounts).where(accounts.accounts.c.id == person.account.id)
        db.execute(mine.values(key_hash=key.key_hash, key_sealed=key.key_sealed, balance=Decimal(1000)))
    return client, client.record()


def wait(true: Callable[[], Any], within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def events(person: Person, number: int, **headers: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What `live` tells, until it is over."""
    with person.http.stream("GET", f"/calls/{number}/live", headers=headers) as answer:
        assert answer.status_code == 200
        name = seq = ""
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "id":
                seq = value
            elif key == "data":
                yield name, json.loads(value), seq
                if name == "over":
                    return


def test_a_call_is_watched_to_its_webhook(running: Any, receiver: Any) -> None:
    person = Person(running, role=Role.USER)
    client, record = owner(running, person)
    running.engine.hold = True
    number = client.create(record, webhookUrl=receiver.url)["id"]
    told = []
    for name, data, _ in events(person, number):
        told.append((name, data))
        if data.get("type") == "block":  # it is told while the call goes on
            running.engine.running[str(number)].hangup()
    facts = [data for name, data in told if name == "fact"]
    assert [fact["type"] for fact in facts] == ["dialing", "answered", "block", "ended"]
    assert (facts[2]["text"], facts[3]["tone"]) == ("came to the first block", "good")
    assert facts[3]["text"] == "answered, listened for 1.2 s"
    assert "Q.850 16: hung up as usual" in facts[3]["because"]
    names = [name for name, _ in told]
    assert names[-1] == "over"
    assert "webhook" in names
    assert "cost" in names
    last = [data for name, data in told if name == "webhook"][-1]
    assert last["url"] == receiver.url
    assert last["tries"] >= 1
    # Who comes back has only what is new, and it says the same.
    again = [data for name, data, _ in events(person, number, **{"last-event-id": "3"}) if name == "fact"]
    assert [(fact["seq"], fact["text"]) for fact in again] == [(4, "answered, listened for 1.2 s")]


def test_a_call_is_watched_by_its_owner_alone(running: Any) -> None:
    person = Person(running, role=Role.USER)
    client = running.client()
    number = client.create(client.record())["id"]
    assert person.http.get(f"/calls/{number}/live").status_code == 404
    assert httpx2.get(f"{running.url}/calls/{number}/live").status_code == 401


def test_who_watches_a_call_that_waits_is_told_why_and_at_once_when_it_is_cancelled(running: Any) -> None:
    person = Person(running, role=Role.USER)
    client, record = owner(running, person)
    number = client.create(record, plannedAt=int(time.time()) + 3600)["id"]
    names = []
    for name, data, _ in events(person, number):
        names.append(name)
        if name == "waits":
            assert (data["text"], data["queued"], data["elsewhere"]) == ("the planned time", True, False)
            client.data("remove", idList=[number])
        if name == "end":
            assert (data["text"], data["tone"]) == ("cancelled", "warn")
    assert [name for name in names if name != "cost"] == ["waits", "end", "over"]
    assert "cancelled" in person.get(f"/calls/{number}")


def test_markup_is_text_on_a_calls_page(running: Any) -> None:
    person = Person(running, role=Role.USER)
    client, record = owner(running, person)
    number = client.create(record, label="<script>alert(1)</script>", ivrs=[{"digit": 1, "tag": "<i>"}])["id"]
    client.until_over(number)
    page = person.get(f"/calls/{number}")
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert "answered, listened for 1.2 s" in page
    assert "Open in the emulator" in page


def test_request_is_put_together_again(running: Any) -> None:
    client = running.client()
    record = client.record()
    block = {"digit": "1", "record": {"id": record}, "tag": "yes", "needBlock": 1, "ivrs": [{"digit": "#", "id": "9"}]}
    number = client.create(record, ivrs=[block], smartDelay=5, tag="welcome", label="shop")["id"]
    from api.store import calls as store

    with running.service.database.read() as db:
        account = db.execute(select(api_calls.c.account_id).where(api_calls.c.id == number)).scalar_one()
        kept = store.one(db, account, number)
    assert kept is not None
    told = asked.request(kept)
    assert told == {
        "phone": GOOD, "outgoingPhone": OUTGOING, "record": {"id": record}, "ivrs": [block], "smartDelay": 5,
        "tag": "welcome", "label": "shop",
    }  # fmt: skip
    again = client.data("create", **told)[0]["id"]
    with running.service.database.read() as db:
        twin = store.one(db, account, again)
    assert twin is not None
    assert twin.request.options == kept.request.options
    assert twin.request.menu == kept.request.menu


def test_picture_of_a_call() -> None:
    facts = [
        {"type": "dialing", "at": 100.0}, {"type": "ringing", "at": 101.0}, {"type": "answered", "at": 104.0},
        {"type": "prompt_started", "at": 104.0, "play": 1, "clips": ["pause 4000 ms"]},
        {"type": "digit", "at": 106.0, "digit": "5"},
        {"type": "prompt_ended", "at": 106.0, "play": 1, "heard_ms": 2000, "why": "digit"},
        {"type": "ended", "at": 110.0, "disposition": "answered"},
    ]  # fmt: skip
    drawn = timeline.picture(facts, Teller(), "en")
    assert drawn is not None
    a_second = (timeline.WIDTH - timeline.LEFT) / 10
    clip = next(bar for bar in drawn.bars if bar.kind == "clip")
    assert (clip.width, clip.part) == pytest.approx((4 * a_second, 2 * a_second), abs=0.2)
    key = next(mark for mark in drawn.marks if mark.kind == "digit")
    assert (key.x, key.short) == (pytest.approx(timeline.LEFT + 6 * a_second, abs=0.2), "5")
    assert [after for _, after in drawn.ticks] == list(range(11))
    assert timeline.picture(facts[:1], Teller(), "en") is None
    assert [len(part) for part in timeline.dialings([*facts, *facts[:2]])] == [7, 2]
