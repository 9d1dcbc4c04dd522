"""Calls: the table with its filters, its CSV, and one call's page."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.responses import Response

from api import recording_files
from api.messages import Message
from api.page import (
    asked,
    call_filter,
    outcomes,
    recording_marks,
    recording_words,
    sheet,
    telling,
    timeline,
    webhook_words,
)
from api.page.call_filter import STATES
from api.page.fact_words import in_words, result_of, teller_of
from api.page.manager_words import why
from api.page.visit import Visit, Way
from api.problems import Code
from api.refusal import Refusal
from api.store import call_table, calls, facts, outbox, recordings, stop_list
from api.store.call_table import Row
from api.store.calls import ApiCall, Call
from api.store.recordings import Recording
from api.store.schema import OVER
from engine.recording.reading import loudest

ON_A_PAGE = 50
_DIGITS_OF_A_KEY = 15
_PARTS = 400  # of a recording's picture
_DECODES = threading.Lock()  # one at a time: it computes, and calls go on
_STATE_NAMES = {
    "waiting": Message("waiting"), "going_on": Message("going on"), "over": Message("over already"),
}  # fmt: skip


def table(visit: Visit) -> Response:
    """A page of the table; for the script that keeps it fresh only its rows, and nothing if they are the same."""
    wanted = call_filter.read(visit.query, visit.account.timezone)
    before = _key(visit.query.get("before", ""))
    with visit.service.database.read() as db:
        found = call_table.page(db, visit.account.id, wanted, before, ON_A_PAGE)
        newer = None
        if before is not None and found.rows:
            newer = call_table.newer(db, visit.account.id, wanted, found.rows[0].id, ON_A_PAGE)
    state = sha256(repr([(row.id, row.status, row.updated_at) for row in found.rows]).encode()).hexdigest()[:16]
    etag = f'"{state}-{visit.language}"'
    if visit.partial and visit.request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    lively = before is None
    response = visit.page(
        "call_rows.html" if visit.partial else "calls.html", rows=found.rows, page=found, query=visit.query,
        older=found.older and call_filter.address("/calls", visit.query, before=found.older),
        newer=call_filter.address("/calls", visit.query, before=newer) if before is not None else None,
        csv=call_filter.address("/calls.csv", visit.query),
        filtered=any(visit.query.get(name) for name in call_filter.FIELDS),
        states=[(name, _STATE_NAMES[name]) for name in STATES], dispositions=outcomes.DISPOSITIONS.items(),
        result=_result, tone=outcomes.tone, lively=lively, etag=etag, waits_for=outcomes.WAITS_FOR,
    )  # fmt: skip
    response.headers["ETag"] = etag
    return response


def download(visit: Visit) -> Response:
    """What the filter matches, as CSV."""
    wanted = call_filter.read(visit.query, visit.account.timezone)
    language, timezone = visit.language, visit.account.timezone
    head = [message.render(language) for message in _HEAD]
    parts = call_table.every(visit.service.database, visit.account.id, wanted)
    rows = (_cells(row, language, timezone) for part in parts for row in part)
    return sheet.response("calls", language, head, rows)


_HEAD = (
    Message("Call"), Message("Callee"), Message("From number"), Message("Created"), Message("Answered"),
    Message("Ended"), Message("Result"), Message("Disposition"), Message("SIP code"), Message("Q.850 cause"),
    Message("Digits"), Message("Heard, s"), Message("Cost"), Message("Tags"), Message("Label"), Message("Manager"),
    Message("What came of the manager"),
)  # fmt: skip


def _cells(row: Row, language: str, timezone: str) -> list[object]:
    from api.page.formats import moment

    def at(when: float | None) -> str:
        return str(moment(when, timezone).striptags()) if when is not None else ""

    cost = format(row.cost, "f")
    return [
        row.api_call_id, row.phone, row.outgoing, at(row.created_at), at(row.answered_at), at(row.finished_at),
        _result(row).render(language), row.disposition, row.sip_code, row.hangup_cause, "".join(row.answers),
        _decimal(format(row.heard_ms / 1000, ".1f"), language), _decimal(cost, language), ", ".join(row.tags),
        row.label, row.manager, "" if row.manager_status is None else why(row.manager_status).render(language),
    ]  # fmt: skip


def _decimal(text: str, language: str) -> str:
    return text.replace(".", ",") if language == "ru" else text


def _result(row: Row) -> Message:
    return result_of(row.status, row.disposition, row.answers, row.heard_ms, row.timeout, row.manager_status)


def one(visit: Visit) -> Response:
    """One call's page."""
    kept = _kept(visit)
    service, language = visit.service, visit.language
    with service.database.read() as db:
        told = facts.of(db, [dialing.id for dialing in kept.calls])
        webhooks = outbox.webhooks(
            db, visit.account.id, numbers=None, api_call_ids=[kept.id], failed_only=False, since=0.0, most=100
        )
        stopped = stop_list.listed(db, visit.account.id, [kept.phone])
    teller = teller_of(service.database, kept)
    over = kept.calls[-1].status in OVER
    ended = [fact for fact in told if fact["type"] == "ended"]
    dialings = [_dialing(part, teller, language, kept.calls) for part in timeline.dialings(told)] if told else []
    placed = {dialing["recording"] for dialing in dialings}
    others = [call.recording for call in kept.calls if call.recording and call.recording not in placed]
    last = kept.calls[-1]
    timeout_s = kept.request.options["timeout"]
    said = result_of(last.status, last.disposition, last.answers, last.heard_ms, timeout_s, last.manager_status)
    result = dialings[-1]["steps"][-1]["text"] if over and ended and _is_of(last, ended[-1]) else said.render(language)
    return visit.page(
        "call.html", kept=kept, last=last, over=over, result=result, tone=outcomes.tone(last.disposition),
        dialings=dialings, statuses=outcomes.STATUSES, dispositions=outcomes.DISPOSITIONS, cause=outcomes.cause,
        cost=sum(dialing.cost for dialing in kept.calls), request_json=asked.shown(asked.request(kept)),
        menu=asked.menu(kept, {number: clip.name for number, clip in teller.clips.items()}),
        lit=last.path[-1] if last.path else "", path=[telling.block(name) for name in last.path],
        webhooks=[(webhook, *webhook_words.state(webhook), webhook_words.kind(webhook)) for webhook in webhooks],
        answer=webhook_words.answer, shown=asked.shown, stopped=bool(stopped), waits_for=outcomes.WAITS_FOR,
        settled=over and all(webhook.done_at is not None for webhook in webhooks), width=timeline.WIDTH,
        left=timeline.LEFT, why=why, kinds=recording_marks.KINDS, keep_days=service.recordings.keep_days,
        because=recording_words.why, others=others, recorded=any(call.recording for call in kept.calls),
    )  # fmt: skip


def _is_of(dialing: Call, fact: dict[str, Any]) -> bool:
    """The fact tells the end of this dialing: one that was cancelled while it waited has none."""
    return dialing.disposition == fact.get("disposition") and dialing.started_at is not None


def _dialing(told: Any, teller: telling.Teller, language: str, calls: Sequence[Call]) -> dict[str, Any]:
    steps = [in_words(teller, fact, language) for fact in told]
    recording = next((call.recording for call in calls if call.recording and _is_within(call.recording, told)), None)
    marks = []
    if recording:
        words = [step["text"] for step in steps]
        marks = recording_marks.marks(told, words, recording.began_at, recording.duration_ms)
    for step, fact in zip(steps, told, strict=True):
        step["after_s"] = fact["at"] - told[0]["at"]
        step["json"] = asked.shown(fact)
    picture = timeline.picture(told, teller, language)
    return {"steps": steps, "picture": picture, "recording": recording, "marks": marks}


def _is_within(recording: Recording, told: Any) -> bool:
    return bool(told[0]["at"] <= recording.began_at <= told[-1]["at"])


def hear(visit: Visit) -> Response:
    """The recording of one of its dialings."""
    return recording_files.response(visit.request, visit.service, _recording(visit))


def show_wave(visit: Visit) -> Response:
    """{"callee": [...], "us": [...], "ms"}: how loud a recording is, in parts, 0 to 1."""
    recording = _recording(visit)
    file = recording_files.file_of(visit.service, recording)
    try:
        callee, us = _loudest(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise Refusal(Code.NOT_FOUND, "There is no such recording") from error
    reply = visit.json({"callee": callee, "us": us, "ms": recording.duration_ms})
    reply.headers["Cache-Control"] = "private, max-age=3600"
    return reply


@lru_cache(maxsize=1000)
def _loudest(file: Path, _written_at_ns: int) -> list[list[float]]:
    with _DECODES:
        return loudest(file, _PARTS)


def _recording(visit: Visit) -> Recording:
    number, dialing = int(visit.path["number"]), int(visit.path["dialing"])
    with visit.service.database.read() as db:
        found = recordings.of_account(db, visit.account.id, number, dialing)
    if found is None:
        raise Refusal(Code.NOT_FOUND, "There is no such recording")
    return found


def again(visit: Visit) -> Response:
    """Send one of its webhooks once more."""
    kept = _kept(visit)
    number = _key(visit.text("webhook"))
    with visit.service.database.write() as db:
        mine = outbox.webhooks(
            db, visit.account.id, numbers=[number or 0], api_call_ids=[kept.id], failed_only=False, since=0.0, most=1
        )
        if mine:
            outbox.send_again(db, visit.account.id, visit.service.now(), numbers=[mine[0].id], failed_since=None)
    visit.service.told()
    return visit.go(f"/calls/{kept.id}#webhooks")


def _kept(visit: Visit) -> ApiCall:
    with visit.service.database.read() as db:
        kept = calls.one(db, visit.account.id, int(visit.path["number"]))
    if kept is None:
        raise Refusal(Code.NOT_FOUND, "There is no such call")
    return kept


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_OF_A_KEY else None


WAYS = (
    Way("GET", "/calls", table),
    Way("GET", "/calls.csv", download),
    Way("GET", "/calls/{number:int}", one),
    Way("GET", "/calls/{number:int}/recordings/{dialing:int}", hear),
    Way("GET", "/calls/{number:int}/recordings/{dialing:int}/wave", show_wave),
    Way("POST", "/calls/{number:int}/webhook", again),
)
