"""A fact with its words beside it, as scripts and templates want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.messages import Message
from api.page import manager_words, outcomes, telling
from api.page.sound import sound
from api.page.telling import Clip, Teller
from api.store import records
from api.store.calls import ApiCall
from api.store.database import Database


def teller_of(database: Database, kept: ApiCall) -> Teller:
    """Who can tell the facts of this api-call: it knows the names of the clips. Blocks."""
    numbers = {int(note["record"]) for note in kept.request.menu.values() if note["record"]}
    with database.read() as db:
        known = records.files(db, numbers) if numbers else []
    clips = {str(record.id): Clip(record.name, record.duration_ms) for record in known}
    return Teller(clips, timeout_s=float(kept.request.options["timeout"]))


def in_words(teller: Teller, fact: dict[str, Any], language: str) -> dict[str, Any]:
    """The fact with what it says: `text`, `tone`, `because` and `sound` of an end, `plays_ms` of a prompt."""
    more: dict[str, Any] = {"text": teller.tell(fact).render(language)}
    if fact["type"] == "ended":
        more["tone"] = outcomes.tone(str(fact.get("disposition")))
        more["because"] = reason(fact, language)
        more["sound"] = sound(fact.get("media"), language)
    if fact["type"] == "prompt_started":
        more["plays_ms"] = teller.plays_ms(fact)
    return {key: value for key, value in fact.items() if key != "journal"} | more


def reason(fact: dict[str, Any], language: str) -> str:
    """Who ended it, and the cause, as one line."""
    by = outcomes.ENDED_BY.get(str(fact.get("ended_by")))
    cause, code = fact.get("hangup_cause"), fact.get("sip_code")
    parts = [by.render(language)] if by else []
    if cause is not None:
        parts.append(f"Q.850 {cause}: {outcomes.cause(int(cause)).render(language)}")
    if code is not None:
        parts.append(f"SIP {code}")
    return " · ".join(parts)


def result_of(
    status: str,
    disposition: str | None,
    answers: Sequence[str],
    heard_ms: int,
    timeout_s: float | None,
    manager_status: str | None,
) -> Message:
    """A dialing as a line says it, from what its row says: when things happened is not known there."""
    if disposition is None:
        return outcomes.STATUSES.get(status, outcomes.STATUSES["created"])
    if disposition.startswith("answered"):
        told = telling.answered(disposition, "".join(answers), None, heard_ms)
        return manager_words.of_row(told, manager_status)
    return Teller(timeout_s=timeout_s or None).result({"disposition": disposition})
