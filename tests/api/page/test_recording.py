"""The recording on a call's page: heard by its owner, drawn, marked; and what is said where there is none."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_visitor import signed_in

from api.messages import ENGLISH, RUSSIAN, Message
from api.page import recording_words
from api.page.recording_marks import Mark, marks
from api.page.telling import Teller
from engine.dial import Dial

NOW = time.time()
TALK: list[dict[str, Any]] = [
    {"type": "dialing", "at": 98.0},
    {"type": "answered", "at": 100.0},
    {"type": "prompt_started", "at": 100.0, "play": 1, "clips": ["pause 300 ms"]},
    {"type": "digit", "at": 101.5, "digit": "1"},
    {"type": "prompt_ended", "at": 101.5, "play": 1, "heard_ms": 1500, "why": "digit"},
    {"type": "transfer_started", "at": 101.5, "to": "79990000016", "shown": "79932432781", "tried": 1},
    {"type": "transfer_failed", "at": 101.7, "to": "79990000016", "disposition": "busy", "sip_code": 486, "reason": ""},
    {"type": "transfer_started", "at": 101.7, "to": "79990000015", "shown": "79932432781", "tried": 2},
    {"type": "transfer_ringing", "at": 101.8, "to": "79990000015", "code": 180},
    {"type": "transfer_answered", "at": 103.0, "to": "79990000015"},
    {"type": "speech_started", "at": 103.5},
    {"type": "transfer_ended", "at": 105.0, "to": "79990000015", "ended_by": "manager", "duration_ms": 2000},
]


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One kind of database is enough: what is kept is tried with both elsewhere."""
    return f"sqlite:///{tmp_path}/zvonar.db"


def marked(language: str, length_ms: int = 5000) -> list[Mark]:
    teller = Teller()
    return marks(TALK, [teller.tell(fact).render(language) for fact in TALK], 100.0, length_ms)


def test_marks_on_the_line() -> None:
    assert [(mark.kind, mark.at_ms, mark.until_ms, mark.short) for mark in marked(ENGLISH)] == [
        ("clip", 0, 1500, ""), ("calling", 1500, 1700, ""), ("digit", 1500, 1500, "1"), ("calling", 1700, 3000, ""),
        ("manager", 3000, 5000, ""), ("speech", 3500, 5000, ""),
    ]  # fmt: skip
    told = [mark.text for mark in marked(RUSSIAN) if mark.kind in ("calling", "manager")]
    assert told == [
        "набирает менеджера +7 999 000-00-16, ему виден номер +7 993 243-27-81, "
        "до менеджера +7 999 000-00-16 не дозвонились: занято",
        "набирает менеджера +7 999 000-00-15, ему виден номер +7 993 243-27-81, "
        "менеджер +7 999 000-00-15 ответил через 1,3 с",
        "менеджер +7 999 000-00-15 ответил через 1,3 с, разговор с менеджером окончен через 2 с: "
        "менеджер положил трубку",
    ]


def test_marks_stay_on_the_line() -> None:
    assert max(mark.until_ms for mark in marked(ENGLISH, length_ms=2000)) == 2000


def test_why_it_is_not_all_there() -> None:
    said = recording_words.why("1500 ms are missing, for the disk was too slow")
    assert (said.render(ENGLISH), said.render(RUSSIAN)) == (
        "1.5 s is missing, for the disk was too slow",
        "пропущено 1,5 с: диск не успевал",
    )
    assert recording_words.why("read-only file system").render(RUSSIAN) == "read-only file system"
    assert isinstance(recording_words.why("no space left on the disk"), Message)


def stereo() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 8000, 0, "NONE", ""))
        writer.writeframes(b"\x00\x40\x00\x00" * 800 + b"\x00\x00\x00\x20" * 800)
    return file.getvalue()


@pytest.fixture
def record(running: Any, end_fact: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Calls are recorded so from now on."""

    def begin(**changed: Any) -> None:
        def facts(dial: Dial) -> list[dict[str, Any]]:
            assert dial.record_to is not None
            dial.record_to.write_bytes(stereo())
            now = time.time()
            told = {"path": str(dial.record_to), "duration_ms": 200, "state": "saved", "why": "", "started_at": now}
            told |= changed
            return [
                {"type": "dialing", "at": now - 1}, {"type": "answered", "at": now},
                {"type": "digit", "digit": "7", "channel": "info", "at": now + 0.1}, {"type": "recording", **told},
                end_fact(recording=told, at=now + 0.2, answered_at=now),
            ]  # fmt: skip

        running.engine.facts = facts

    return begin


def test_heard_drawn_and_marked(running: Any, client: Any, record: Any, tmp_path: Path) -> None:
    record()
    number = client.until_over(client.create(client.record(), needRecording=1)["id"])["id"]
    running.client("other")
    address = f"/calls/{number}/recordings/{number}"
    with signed_in(running.service.database, running.url) as owner:
        page = owner.get(f"/calls/{number}").text
        assert f'<recording-player src="{address}" wave="{address}/wave" ms="200"' in page
        assert 'data-at="100" data-until="100"><span aria-hidden="true">7</span>' in page
        assert "pressed 7 after 0.1 s" in page
        assert str(tmp_path) not in page  # nor anywhere in what is told of its facts
        heard = owner.get(address, headers={"range": "bytes=0-3"})
        assert (heard.status_code, heard.content, heard.headers["content-type"]) == (206, b"RIFF", "audio/wav")
        wave = owner.get(f"{address}/wave").json()
        assert (wave["ms"], wave["callee"], wave["us"]) == (200, [0.5] * 5 + [0.0] * 5, [0.0] * 5 + [0.25] * 5)
        assert owner.get(f"/calls/{number + 1}/recordings/{number}").status_code == 404
    with signed_in(running.service.database, running.url, "other") as stranger:
        assert [stranger.get(path).status_code for path in (address, f"{address}/wave")] == [404, 404]
    facts = client.http.get(f"/calls/{number}/events?apiKey={client.key}").text
    assert '"recording"' in facts
    assert str(tmp_path) not in facts


@pytest.mark.parametrize(
    ("state", "words"),
    [("incomplete", "It is incomplete: no space left"), ("failed", "The talk could not be recorded: no space left")],
)
def test_what_is_missing_is_said(running: Any, client: Any, record: Any, state: str, words: str) -> None:
    record(state=state, why="no space left on the disk")
    number = client.until_over(client.create(client.record(), needRecording=1)["id"])["id"]
    with signed_in(running.service.database, running.url) as owner:
        page = owner.get(f"/calls/{number}").text
        assert words in page
        assert ("<recording-player" in page) is (state == "incomplete")
        assert owner.get(f"/calls/{number}/recordings/{number}/wave").status_code == (404 if state == "failed" else 200)


def test_deleted_after_so_many_days(running: Any, client: Any, record: Any) -> None:
    record()
    number = client.until_over(client.create(client.record(), needRecording=1)["id"])["id"]
    running.service.recordings.sweep(time.time() + 31 * 86_400)
    with signed_in(running.service.database, running.url) as owner:
        page = owner.get(f"/calls/{number}").text
        assert "It was deleted: recordings are kept for so many days: 30" in page
        assert "<recording-player" not in page
        for what in ("", "/wave"):
            assert owner.get(f"/calls/{number}/recordings/{number}{what}").status_code == 410


def test_the_manager_in_the_tables(running: Any, client: Any, end_fact: Any) -> None:
    manager = {"to": "79990000015", "shown": "79990000001", "started_at": NOW - 9, "answered_at": NOW - 5,
               "ended_at": NOW, "status": "answered", "sip_code": 200, "hangup_cause": 16}  # fmt: skip
    ends = iter([manager, manager | {"answered_at": None, "status": "busy"}])
    running.engine.facts = lambda _dial: [
        {"type": "dialing"}, {"type": "answered"},
        {"type": "block", "block": "menu.1", "tags": []}, end_fact(manager=next(ends)),
    ]  # fmt: skip
    ivrs = [{"digit": 1, "managerPhone": ["79990000015", "79990000016"]}]
    record = client.record()
    numbers = [client.until_over(client.create(record, ivrs=ivrs)["id"])["id"] for _ in range(2)]
    with signed_in(running.service.database, running.url) as owner:
        table, sheet = owner.get("/calls").text, owner.get("/calls.csv").text
        assert table.count("Manager: +7 999 000-00-15") == 2
        assert "listened for 1.2 s, talked to the manager</span>" in table
        assert "listened for 1.2 s, the manager was not reached: busy</span>" in table
        assert "79990000015,busy" in sheet
        assert "talked to the manager for 5 s" in owner.get(f"/calls/{numbers[0]}").text
        page = owner.get(f"/calls/{numbers[1]}").text
        assert "79990000015, 79990000016" in page  # its request, and the drawing of the menu
