"""`createRecord`, `getRecords`, `deleteRecord`, `getAvailableLanguages`."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from sqlalchemy import Connection

from api import views
from api.body import File
from api.clips import BadClip
from api.create_fields import Gender
from api.fields import Fields, Integer, ShortText, Text, take
from api.kinds import NOTHING, needs, of_kind, ref
from api.messages import Message
from api.method import Call, Outcome
from api.problems import Code
from api.refusal import Refusal, bad_field
from api.speech import language_of
from api.store import calls, money, records
from api.store.records import NewRecord, Record, RecordStatus

FILE, TEXT, SAVED = "file", "text", "saved"


class CreateRecord(Fields):
    """A clip: from a text, from a file (a part of any name of multipart/form-data), or one that is stored already."""

    model_config = needs(
        {"text": ref("Words"), "source?": {"enum": [TEXT, *NOTHING]}},
        {"id": ref("Whole"), "source": {"const": SAVED}},
        {"id": ref("Whole"), "source?": {"enum": NOTHING}, "text?": {"enum": NOTHING}},
    )

    name: ShortText = None
    """What the clip is called; the name of its file, or the beginning of its text, if left out."""
    source: Annotated[Text, of_kind("Source")] = None
    """Where it comes from; guessed from the other fields if left out."""
    text: Text = None
    """With `text`: what is to be said. `+` stands before a stressed vowel, `<->` is a pause."""
    gender: Gender = 0
    language: ShortText = None
    """The language of the text, as `getAvailableLanguages` lists it; that of its letters if left out."""
    id: Integer = None
    """With `saved`: the number of the record."""


class DeleteRecord(Fields):
    """Which record."""

    model_config = needs({"id": ref("Whole")})

    id: Integer = None
    """The number of the record."""


def create_record(call: Call) -> Outcome:
    """Keep a clip."""
    wanted = take(CreateRecord, call.values)
    source = wanted.source or _guess(call, wanted)
    if source == FILE:
        return _upload(call, wanted)
    if source == SAVED:
        missing = Message("is required with `source`: `saved`: the number of the record")
        return views.record(_mine(call, wanted.id, missing), call.base_url)
    if source == TEXT:
        return _speak(call, wanted)
    raise bad_field("source", "must be `file`, `text` or `saved`")


def get_records(call: Call) -> Outcome:
    """All clips of the account."""
    with call.database.read() as db:
        return [views.record(record, call.base_url) for record in records.of(db, call.account.id)]


def delete_record(call: Call) -> Outcome:
    """Nobody sees the clip any more; refused while a call that waits or a template needs it."""
    wanted = take(DeleteRecord, call.values)
    record = _mine(call, wanted.id, Message("is required: the number of the record"))
    with call.database.write() as db:
        discard(db, record, call.now())
        outcome = views.record(record, call.base_url)
        call.keep(db, outcome)
    return outcome


def discard(db: Connection, record: Record, now: float) -> None:
    """Nobody sees the clip any more. Raises Refusal while a call needs it."""
    if calls.need_record(db, record.account_id, record.id):
        raise Refusal(Code.RECORD_IN_USE, "Record {number} is needed by planned calls", number=record.id)
    records.delete(db, record.id, now)


def _guess(call: Call, wanted: CreateRecord) -> str:
    if call.files:
        return FILE
    if wanted.text is not None:
        return TEXT
    return SAVED if wanted.id is not None else FILE


def _upload(call: Call, wanted: CreateRecord) -> Outcome:
    if not call.files:
        raise bad_field("file", "is required: send the clip as a file part of multipart/form-data")
    file = call.files[0]
    try:
        kept = call.clips.add(file.content, _name(file))
    except BadClip as error:
        raise refused_clip("file", error) from error
    status = RecordStatus.READY if call.account.moderated else RecordStatus.MODERATION
    new = NewRecord(
        name=wanted.name or PurePath(_name(file)).stem, content=kept.name, duration_ms=kept.duration_ms,
        gender=wanted.gender,
    )  # fmt: skip
    with call.database.write() as db:
        outcome = views.record(records.add(db, call.account.id, new, status, call.now()), call.base_url)
        call.keep(db, outcome)
    return outcome


def refused_clip(field: str, error: BadClip) -> Refusal:
    """What is said of a sound that cannot become a clip."""
    problem = Message(error.refused.template, **error.refused.params)
    message = Message("{name}: {problem}", name=error.given_name, problem=problem)
    return bad_field(field, message, Code(error.refused.code))


def _speak(call: Call, wanted: CreateRecord) -> Outcome:
    text = wanted.text or ""
    language = wanted.language or language_of(text)
    spoken = call.speech.speak(call.account, "text", text, wanted.gender, language, wanted.name or "")
    with call.database.write() as db:
        record = records.add(db, call.account.id, spoken.record, RecordStatus.READY, call.now())
        try:
            money.charge_clip(db, call.account.id, spoken.record.cost, record.id, call.now())
        except money.NotEnough as error:
            raise Refusal(Code.BALANCE_LOW, "The balance does not suffice for this clip") from error
        outcome = views.record(record, call.base_url) | {"notes": spoken.notes}
        call.keep(db, outcome)
    return outcome


def _mine(call: Call, number: int | None, missing: Message) -> Record:
    if number is None:
        raise bad_field("id", missing)
    with call.database.read() as db:
        found = records.of(db, call.account.id, [number])
    if not found:
        raise bad_field(
            "id", "there is no record {number}; `getRecords` lists yours", Code.RECORD_UNKNOWN, number=number
        )
    return found[0]


def _name(file: File) -> str:
    return PurePath(file.name.replace("\\", "/")).name[:200] or "clip"
