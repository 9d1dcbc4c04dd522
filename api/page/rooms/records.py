"""Records: the account's clips, to be listened to, renamed, deleted; and what the clip picker asks for."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from api.kinds import SHORT
from api.messages import Message
from api.page.formats import money
from api.page.roles import MODERATORS
from api.page.visit import Visit, Way
from api.peaks import peaks
from api.problems import Code
from api.record import discard
from api.refusal import Refusal
from api.speech import MAX_PREVIEW, NEEDS_MODERATION
from api.store import records, templates
from api.store.records import Record, RecordStatus
from api.store.templates import Template

ROWS = 50
_A_YEAR = "private, max-age=31536000, immutable"  # what a record plays never changes
STATES = {
    RecordStatus.READY: Message("Ready"),
    RecordStatus.MODERATION: Message("In moderation"),
    RecordStatus.REJECTED: Message("Rejected"),
    RecordStatus.ERROR: Message("Error"),
}


class Row(NamedTuple):
    """A record in the table, and how many planned calls play it."""

    record: Record
    planned: int


def show(visit: Visit) -> Response:
    """The table, newest first; `q` is searched for, `before` a record's number."""
    search = visit.query.get("q", "").strip()[:SHORT]
    before = _number(visit.query.get("before"))
    with visit.service.database.read() as db:
        found = records.page(db, visit.account.id, search, before, ROWS + 1)
        planned = records.planned(db, [record.id for record in found])
    rows = [Row(record, planned.get(record.id, 0)) for record in found[:ROWS]]
    more = f"/records?{urlencode(_fields(search, rows[-1].record.id))}" if len(found) > ROWS else None
    return visit.page("records.html", rows=rows, search=search, before=before, more=more, states=STATES)


def show_list(visit: Visit) -> Response:
    """JSON for scripts, as `show`: {"records": [...], "next": what `before` goes on with}; `id` asks for one record."""
    number, most = _number(visit.query.get("id")), 20
    with visit.service.database.read() as db:
        if number is not None:
            one = records.one(db, visit.account.id, number)
            found = [one] if one else []
        else:
            search, before = visit.query.get("q", "")[:SHORT], _number(visit.query.get("before"))
            found = records.page(db, visit.account.id, search, before, most + 1)
    told = [_told(record, visit.language) for record in found[:most]]
    return visit.json({"records": told, "next": found[most - 1].id if len(found) > most else None})


def show_limits(visit: Visit) -> Response:
    """JSON for the clip picker: what an upload may be, which languages are spoken, what a text costs."""
    limits, tariff = visit.service.clips.limits, visit.service.tariff
    price = Message(
        "A clip costs {price} for each started {characters} characters",
        price=money(tariff.clip, visit.language), characters=tariff.clip_characters,
    )  # fmt: skip
    return visit.json({
        "max_bytes": limits.max_bytes, "max_mb": limits.max_bytes >> 20, "max_s": limits.max_s,
        "max_preview": MAX_PREVIEW, "price": price.render(visit.language),
        "needs_moderation": None if visit.account.moderated else Message(NEEDS_MODERATION).render(visit.language),
        "languages": [{"code": one.code, "name": one.name} for one in visit.service.speech.languages()],
    })  # fmt: skip


def show_one(visit: Visit) -> Response:
    """One record: its text, where it is used, what can be done with it."""
    return _one(visit, _mine(visit))


def rename(visit: Visit) -> Response:
    """Call it otherwise."""
    record, name = _mine(visit), visit.text("name").replace("\0", "")
    problem = None
    if not name:
        problem = Message("A name is needed")
    elif len(name) > SHORT:
        problem = Message("is longer than {most} characters", most=SHORT)
    if problem is not None:
        return _refused(visit, record, problem, 422, name)
    with visit.service.database.write() as db:
        records.rename(db, record, name)
    if _for_script(visit):
        return visit.json({"name": name})
    return visit.go(f"/records/{record.id}")


def delete(visit: Visit) -> Response:
    """Nobody sees it any more; refused while a planned call needs it."""
    record = _mine(visit)
    try:
        with visit.service.database.write() as db:
            discard(db, record, visit.service.now())
    except Refusal as refusal:
        return _refused(visit, record, refusal.message, refusal.status, record.name)
    return visit.json({}) if _for_script(visit) else visit.go("/records")


def show_wave(visit: Visit) -> Response:
    """{"peaks": some 200 numbers, 0 to 1}; for moderators that of everybody's records."""
    with visit.service.database.read() as db:
        if visit.account.role in MODERATORS:
            found = records.files(db, [int(visit.path["number"])])
        else:
            found = records.of(db, visit.account.id, [int(visit.path["number"])])
    file = visit.service.clips.path(found[0].content) if found else None
    if file is None or not file.exists():
        raise Refusal(Code.NOT_FOUND, "There is no such record")
    reply = visit.json({"peaks": _peaks(file), "ms": found[0].duration_ms})
    reply.headers["Cache-Control"] = _A_YEAR
    return reply


@lru_cache(maxsize=4096)
def _peaks(file: Path) -> list[float]:
    """Of a file that is named after its content."""
    return peaks(file.read_bytes())


def _one(visit: Visit, record: Record, problem: Message | None = None, status: int = 200, name: str = "") -> Response:
    with visit.service.database.read() as db:
        uses = records.requests_of(db, record.id)
        planned = records.planned(db, [record.id]).get(record.id, 0)
        naming = [kept for kept in templates.of(db, visit.account.id) if _names(kept, record.id)]
    return visit.page(
        "record.html", status, record=record, name=name or record.name, uses=uses, planned=planned, naming=naming,
        states=STATES, problem=problem.render(visit.language) if problem else None,
    )  # fmt: skip


def _refused(visit: Visit, record: Record, problem: Message, status: int, name: str) -> Response:
    if _for_script(visit):
        return visit.json({"status": "error", "data": {"message": problem.render(visit.language)}}, status)
    return _one(visit, record, problem, status, name)


def _names(template: Template, number: int) -> bool:
    """Whether a clip of the template is this record; `id` may have come as a text."""

    def walk(value: Any) -> bool:
        if isinstance(value, str) and value[:1] in ("{", "["):  # arrays and objects may be JSON text
            try:
                value = json.loads(value)
            except ValueError:
                return False
        if isinstance(value, list):
            return any(map(walk, value))
        if not isinstance(value, dict):
            return False
        clip = value.get("record")
        if isinstance(clip, str):
            try:
                clip = json.loads(clip)
            except ValueError:
                clip = None
        if isinstance(clip, dict) and str(clip.get("id")) == str(number):
            return True
        return walk(value.get("ivrs"))

    return walk(template.fields)


def _told(record: Record, language: str) -> dict[str, Any]:
    return {
        "id": record.id, "name": record.name, "status": record.status,
        "state": STATES[RecordStatus(record.status)].render(language), "comment": record.moderator_comment,
        "text": record.record_text, "gender": record.gender, "ms": record.duration_ms,
        "src": f"/records/{record.token}.wav", "wave": f"/records/{record.id}/wave",
    }  # fmt: skip


def _mine(visit: Visit) -> Record:
    number = int(visit.path["number"])
    with visit.service.database.read() as db:
        found = records.one(db, visit.account.id, number) if number < 1 << 62 else None
    if found is None:
        raise Refusal(Code.NOT_FOUND, "There is no such record")
    return found


def _for_script(visit: Visit) -> bool:
    return "application/json" in visit.request.headers.get("accept", "")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 17 else None


def _fields(search: str, before: int) -> dict[str, str | int]:
    return {"q": search, "before": before} if search else {"before": before}


WAYS = (
    Way("GET", "/records", show),
    Way("GET", "/records/list", show_list),
    Way("GET", "/records/limits", show_limits),
    Way("GET", "/records/{number:int}", show_one),
    Way("GET", "/records/{number:int}/wave", show_wave),
    Way("POST", "/records/{number:int}/rename", rename),
    Way("POST", "/records/{number:int}/delete", delete),
)
