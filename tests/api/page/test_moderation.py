"""Moderation on the page: what waits, what is decided, and who was faster."""

from __future__ import annotations

import time
from typing import Any

import pytest
from person import Person

from api.store import accounts, records
from api.store.accounts import Account, Role
from api.store.records import NewRecord, Record, RecordStatus


def _waiting(person: Person, name: str = "new <b>one</b>", clips: int = 1) -> tuple[Account, list[Record]]:
    with person.database.write() as db:
        account, _ = accounts.add(db, person.database.seal, name, now=time.time())
        made = [
            records.add(db, account.id, NewRecord(f"<i>clip {number}", "0" * 64, 1500, text="<b>say"),
                        RecordStatus.MODERATION, time.time())
            for number in range(clips)
        ]  # fmt: skip
    return account, made


def _status(person: Person, record: Record) -> tuple[str, str]:
    with person.database.read() as db:
        known = records.by_id(db, record.id)
    assert known is not None
    return known.status, known.moderator_comment


def test_what_waits_is_shown_as_text(running: Any) -> None:
    moderator = Person(running, role=Role.MODERATOR)
    account, (clip,) = _waiting(moderator)
    page = moderator.get("/moderation")
    assert "new &lt;b&gt;one&lt;/b&gt;" in page
    assert "&lt;i&gt;clip 0" in page
    assert "&lt;b&gt;say" in page
    assert f'src="/records/{clip.token}.wav"' in page
    assert f'data-kind="account" data-id="{account.id}"' in page
    assert "Waiting: 2" in page


def test_others_have_no_entry(running: Any) -> None:
    nobody = Person(running, role=Role.USER)
    _, (clip,) = _waiting(nobody)
    nobody.get("/moderation", 403)
    nobody.post("/moderation/decide", 403, kind="record", id=clip.id, verdict="accept")
    assert _status(nobody, clip) == ("moderation", "")


def test_clip_is_accepted(running: Any) -> None:
    moderator = Person(running, role=Role.MODERATOR)
    _, (clip, other) = _waiting(moderator, clips=2)
    answer = moderator.post(
        "/moderation/decide", accept="application/json", kind="record", id=clip.id, verdict="accept"
    )
    assert answer.json() == {"done": True, "text": ""}
    assert _status(moderator, clip) == ("ready", "")
    assert _status(moderator, other) == ("moderation", "")


def test_account_is_accepted_with_its_clips(running: Any) -> None:
    moderator = Person(running)
    account, (clip,) = _waiting(moderator)
    moderator.post("/moderation/decide", 303, kind="account", id=account.id, verdict="accept")
    assert moderator.known(account.name).status == "ready"
    assert _status(moderator, clip) == ("ready", "")


def test_rejection_needs_a_reason(running: Any) -> None:
    moderator = Person(running)
    _, (clip,) = _waiting(moderator)
    wanted = {"kind": "record", "id": clip.id, "verdict": "reject"}
    for accept in ("application/json", "text/html"):
        answer = moderator.post("/moderation/decide", 422, accept, comment=" ", **wanted)
        assert "is required: the owner must know why" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert _status(moderator, clip) == ("moderation", "")
    moderator.post("/moderation/decide", 303, comment="noise <only>", **wanted)
    assert _status(moderator, clip) == ("rejected", "noise <only>")


@pytest.mark.parametrize(("first", "said"), [("accept", "has accepted it"), ("reject", "has rejected it")])
def test_two_moderators_do_not_decide_twice(running: Any, first: str, said: str) -> None:
    anna, boris = Person(running, "anna"), Person(running, "boris", Role.MODERATOR)
    _, (clip,) = _waiting(anna)
    anna.post("/moderation/decide", 303, kind="record", id=clip.id, verdict=first, comment="first")
    before = _status(anna, clip)
    for verdict in ("accept", "reject"):
        wanted = {"kind": "record", "id": clip.id, "verdict": verdict, "comment": "second"}
        told = boris.post("/moderation/decide", accept="application/json", **wanted).json()
        assert told["done"] is False
        assert said in told["text"]
        assert said in boris.post("/moderation/decide", **wanted).text
    assert _status(anna, clip) == before


@pytest.mark.parametrize(("kind", "number"), [("record", "999"), ("account", "999"), ("x", "1"), ("record", "-1"),
                                              ("record", "9" * 30), ("record", "")])  # fmt: skip
def test_what_is_not_there_is_said(running: Any, kind: str, number: str) -> None:
    moderator = Person(running)
    told = moderator.post(
        "/moderation/decide", accept="application/json", kind=kind, id=number, verdict="accept"
    ).json()
    assert told == {"done": False, "text": "It is not there any more."}
