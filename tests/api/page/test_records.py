"""The room Records and what the clip picker asks for, over real HTTP, on both databases."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from api.store import accounts, records, sessions
from api.store.records import NewRecord, RecordStatus

PHONE = "79990000001"


class Visitor:
    """A browser that is signed in."""

    def __init__(self, running: Any, client: Any, language: str = "en") -> None:
        database = running.service.database
        with database.write() as db:
            account = accounts.by_key(db, database.seal, client.key)
            assert account is not None
            token = sessions.begin(db, database.seal, account.id, "", "", time.time())
        headers = {"accept-language": language, "sec-fetch-site": "same-origin", "cookie": f"zvonar={token}"}
        self.account_id = account.id
        self.http = httpx2.Client(base_url=running.url, timeout=20, headers=headers)

    def listed(self, **query: Any) -> Any:
        answer = self.http.get("/records/list", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def enter(running: Any) -> Iterator[Callable[..., Visitor]]:
    made: list[Visitor] = []

    def enter_as(client: Any, language: str = "en") -> Visitor:
        made.append(Visitor(running, client, language))
        return made[-1]

    yield enter_as
    for visitor in made:
        visitor.http.close()


@pytest.fixture
def visitor(client: Any, enter: Any) -> Visitor:
    return enter(client)


def keep(running: Any, visitor: Visitor, *names: str, status: RecordStatus = RecordStatus.READY) -> list[int]:
    """Records without a sound."""
    with running.service.database.write() as db:
        return [
            records.add(db, visitor.account_id, NewRecord(name, "0" * 64, 1000), status, time.time()).id
            for name in names
        ]


# --- the table ------------------------------------------------------------------------------------------------


def test_names_are_text(client: Any, visitor: Visitor) -> None:
    number = client.record(name="<b>bold</b>")
    for path in ("/records", f"/records/{number}"):
        told = visitor.http.get(path)
        assert told.status_code == 200
        assert "&lt;b&gt;bold&lt;/b&gt;" in told.text
        assert "<b>bold</b>" not in told.text
    assert visitor.listed()["records"][0]["name"] == "<b>bold</b>"


def test_pages_by_key(running: Any, visitor: Visitor) -> None:
    numbers = keep(running, visitor, *(f"clip {number}" for number in range(45)))
    seen: list[int] = []
    before = None
    for rows in (20, 20, 5):
        told = visitor.listed(**({"before": before} if before else {}))
        assert len(told["records"]) == rows
        seen += [record["id"] for record in told["records"]]
        before = told["next"]
    assert before is None
    assert seen == sorted(numbers, reverse=True)


def test_pages_of_the_table_lead_on(running: Any, visitor: Visitor) -> None:
    numbers = keep(running, visitor, *(f"clip {number}" for number in range(51)))
    first = visitor.http.get("/records", params={"q": "clip"}).text
    assert f"/records?q=clip&amp;before={numbers[1]}" in first
    second = visitor.http.get("/records", params={"q": "clip", "before": numbers[1]}).text
    assert second.count("data-record=") == 1
    assert 'rel="next"' not in second


@pytest.mark.parametrize("wanted", ["ПРИВЕТ", "привет", "ивет, Ан", "100 %"])
def test_search_in_whatever_case(running: Any, visitor: Visitor, wanted: str) -> None:
    mine, *_ = keep(running, visitor, "Привет, Анна: 100 %", "Пока", "1000")
    assert [record["id"] for record in visitor.listed(q=wanted)["records"]] == [mine]


def test_search_in_the_text(client: Any, visitor: Visitor) -> None:
    number = client.data("createRecord", source="text", text="Ваш заказ готов", name="one")["id"]
    client.record(name="two")
    assert [record["id"] for record in visitor.listed(q="ЗАКАЗ")["records"]] == [number]


def test_others_are_not_there(running: Any, client: Any, enter: Any) -> None:
    number = client.record(name="mine")
    stranger = enter(running.client("other"))
    assert stranger.listed()["records"] == stranger.listed(id=number)["records"] == []
    assert "mine" not in stranger.http.get("/records").text
    for path in (f"/records/{number}", f"/records/{number}/wave"):
        assert stranger.http.get(path).status_code == 404
    for path in (f"/records/{number}/rename", f"/records/{number}/delete"):
        assert stranger.http.post(path, data={"name": "theirs"}).status_code == 404
    assert client.data("getRecords")[0]["name"] == "mine"


def test_a_moderators_comment_is_told(running: Any, visitor: Visitor) -> None:
    (number,) = keep(running, visitor, "spam", status=RecordStatus.MODERATION)
    with running.service.database.write() as db:
        records.decide(db, number, RecordStatus.REJECTED, "names <competitors>")
    told = visitor.listed(id=number)["records"][0]
    assert (told["status"], told["state"], told["comment"]) == ("rejected", "Rejected", "names <competitors>")
    assert "names &lt;competitors&gt;" in visitor.http.get("/records").text


# --- changes --------------------------------------------------------------------------------------------------


def test_rename(client: Any, visitor: Visitor) -> None:
    number = client.record(name="old")
    done = visitor.http.post(f"/records/{number}/rename", data={"name": "  Новое имя "})
    assert (done.status_code, done.headers["location"]) == (303, f"/records/{number}")
    assert client.data("getRecords")[0]["name"] == "Новое имя"
    assert [record["id"] for record in visitor.listed(q="НОВОЕ")["records"]] == [number]
    assert visitor.listed(q="old")["records"] == []


@pytest.mark.parametrize(("name", "says"), [("  ", "A name is needed"), ("x" * 201, "is longer than 200 characters")])
def test_names_that_are_refused(client: Any, visitor: Visitor, name: str, says: str) -> None:
    number = client.record(name="old")
    page = visitor.http.post(f"/records/{number}/rename", data={"name": name})
    assert page.status_code == 422
    assert says in page.text
    told = visitor.http.post(f"/records/{number}/rename", data={"name": name}, headers={"accept": "application/json"})
    assert (told.status_code, told.json()["data"]["message"]) == (422, says)
    assert client.data("getRecords")[0]["name"] == "old"


def test_delete_waits_for_planned_calls(client: Any, visitor: Visitor) -> None:
    number = client.record(name="needed")
    in_menu = client.record(name="in a menu")
    block = {"digit": 1, "record": {"id": in_menu}}
    planned = client.create(number, plannedAt=int(time.time()) + 900, ivrs=[block])["id"]
    for record in (number, in_menu):
        refused = visitor.http.post(f"/records/{record}/delete")
        assert refused.status_code == 409
        assert f"Record {record} is needed by planned calls" in refused.text
        assert f'href="/calls/{planned}"' in refused.text
    client.data("remove", idList=[planned])
    assert visitor.http.post(f"/records/{number}/delete").headers["location"] == "/records"
    assert visitor.http.get(f"/records/{number}").status_code == 404
    assert [record["id"] for record in visitor.listed()["records"]] == [in_menu]


def test_forms_of_other_sites_change_nothing(client: Any, visitor: Visitor) -> None:
    number = client.record(name="mine")
    strange = {"sec-fetch-site": "cross-site"}
    assert visitor.http.post(f"/records/{number}/delete", headers=strange).status_code == 401
    assert visitor.listed(id=number)["records"]


def test_where_used(client: Any, visitor: Visitor) -> None:
    number, unused = client.record(), client.record()
    made = client.data("create", phones=[PHONE, "79990000002"], dutyPhone=1, record={"id": number})
    client.data("saveTemplate", name="reminder", dutyPhone=1, record={"id": unused}, ivrs=[
        {"digit": 1, "record": {"id": str(number)}},
    ])  # fmt: skip
    page = visitor.http.get(f"/records/{number}").text
    assert f'href="/calls/{made[0]["id"]}"' in page
    assert "callees: 2" in page
    assert "reminder" in page
    other = visitor.http.get(f"/records/{unused}").text
    assert "reminder" in other
    assert "/calls/" not in other.partition("<main")[2]


# --- the wave -------------------------------------------------------------------------------------------------


def tone(seconds: float, loud_from: float) -> bytes:
    """Soft, then loud."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        for place in range(int(seconds * 8000)):
            height = 20000 if place >= loud_from * 8000 else 2000
            writer.writeframesraw((height * (1 if place // 8 % 2 else -1)).to_bytes(2, "little", signed=True))
    return file.getvalue()


def test_wave_has_the_shape_of_the_sound(running: Any, client: Any, enter: Any) -> None:
    number = client.record(tone(2, 1))
    told = enter(client).http.get(f"/records/{number}/wave")
    peaks = told.json()["peaks"]
    assert len(peaks) == 200
    assert 0 < max(peaks[10:80]) < min(peaks[120:190]) / 5 < 0.2
    assert abs(told.json()["ms"] - 2000) < 50
    moderator = enter(running.client("moderator", role=accounts.Role.MODERATOR))
    assert moderator.http.get(f"/records/{number}/wave").json()["peaks"] == peaks


# --- previews -------------------------------------------------------------------------------------------------


def test_preview_is_neither_kept_nor_charged(running: Any, client: Any, visitor: Visitor) -> None:
    text = {"text": "Добрый день, старый з+амок", "gender": 1, "language": ""}
    told = visitor.http.post("/records/preview", json=text)
    assert told.headers["content-type"] == "audio/wav"
    assert told.content[:4] == b"RIFF"
    assert isinstance(json.loads(told.headers["x-notes"]), list)
    assert client.data("getRecords") == []
    assert client.data("userInfo")["balance"] == 1000
    assert not list(running.service.database.folder.rglob("*.wav"))
    # And it is what the record will be.
    record = client.data("createRecord", source="text", text=text["text"], gender=1)
    assert client.http.get(record["path"]).content == told.content
    assert visitor.http.post("/records/preview", json=text).content == told.content


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text": " "}, "is required: what is to be said"),
        ({}, "is required: what is to be said"),
        ({"text": "а" * 2001}, "is longer than 2000 characters"),
        ({"text": "Hello", "language": "xx"}, "xx"),
        ({"text": "Hello", "gender": 7}, "must be 0 (female) or 1 (male)"),
    ],
)
def test_previews_that_are_refused(visitor: Visitor, given: dict[str, Any], says: str) -> None:
    told = visitor.http.post("/records/preview", json=given)
    assert told.status_code == 422
    assert says in told.json()["data"]["message"]


def test_preview_needs_moderation(running: Any, enter: Any) -> None:
    visitor = enter(running.client("new", moderated=False), "ru")
    told = visitor.http.post("/records/preview", json={"text": "Привет"})
    contract = "Для генерации роликов требуется снять модерацию с аккаунта. Свяжитесь с менеджером"
    assert told.json()["data"]["message"] == contract
    assert visitor.http.get("/records/limits").json()["needs_moderation"] == contract


def test_one_preview_at_a_time(
    running: Any, client: Any, visitor: Visitor, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    preview = running.service.speech.preview

    def slow(*given: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return preview(*given)

    monkeypatch.setattr(running.service.speech, "preview", slow)
    first: list[int] = []
    thread = threading.Thread(
        target=lambda: first.append(enter(client).http.post("/records/preview", json={"text": "Раз"}).status_code)
    )
    thread.start()
    try:
        assert begun.wait(20)
        assert visitor.http.post("/records/preview", json={"text": "Два"}).status_code == 429
    finally:
        go_on.set()
        thread.join(20)
    assert first == [200]
    assert visitor.http.post("/records/preview", json={"text": "Два"}).status_code == 200
