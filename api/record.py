"""`createRecord` and `getRecords`."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BeforeValidator

from api import views
from api.body import File
from api.clips import BadClip
from api.fields import Fields, Integer, ShortText, Text, Unfit, take
from api.method import Call, Outcome
from api.refusal import Refusal, bad_field
from api.store import records
from engine.clips.refusal import Reason

FILE, TEXT, SAVED = "file", "text", "saved"
# The contract's own sentence: clients show it as it is.
TEXT_NEEDS_MODERATION = "Для генерации роликов требуется снять модерацию с аккаунта. Свяжитесь с менеджером"


def _gender(value: Any) -> int:
    known = {"0": 0, "female": 0, "1": 1, "male": 1}
    if value is None or value == "":
        return 0
    if str(value).lower() not in known:
        raise Unfit("must be 0 (female) or 1 (male)")
    return known[str(value).lower()]


class CreateRecord(Fields):
    """The fields of `createRecord`; the file comes as a part of any name."""

    name: ShortText = None
    source: Text = None
    text: Text = None
    gender: Annotated[int, BeforeValidator(_gender)] = 0
    id: Integer = None


def create_record(call: Call) -> Outcome:
    """Keep a clip."""
    wanted = take(CreateRecord, call.values)
    source = (wanted.source or _guess(call, wanted)).lower()
    if source == FILE:
        return _upload(call, wanted)
    if source == SAVED:
        return _saved(call, wanted)
    if source == TEXT:
        if not call.account.moderated:
            raise bad_field("source", TEXT_NEEDS_MODERATION)
        raise bad_field("source", "clips from text are not available yet; send a WAV file")
    raise bad_field("source", "must be `file`, `text` or `saved`")


def get_records(call: Call) -> Outcome:
    """All clips of the account."""
    with call.database.read() as db:
        return [views.record(record, call.base_url) for record in records.of(db, call.account.id)]


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
        if error.refused.reason is Reason.TOO_LARGE:
            raise Refusal(413, str(error)) from error
        raise bad_field("file", str(error)) from error
    ready = call.account.moderated
    with call.database.write() as db:
        record = records.add(
            db,
            call.account.id,
            name=wanted.name or PurePath(_name(file)).stem,
            status=records.READY if ready else records.MODERATION,
            gender=wanted.gender,
            content=kept.name,
            duration_ms=kept.duration_ms,
            now=call.now(),
        )
    return views.record(record, call.base_url)


def _saved(call: Call, wanted: CreateRecord) -> Outcome:
    if wanted.id is None:
        raise bad_field("id", "is required with `source`: `saved`: the number of the record")
    with call.database.read() as db:
        found = records.of(db, call.account.id, [wanted.id])
    if not found:
        raise bad_field("id", f"there is no record {wanted.id}; `getRecords` lists yours")
    return views.record(found[0], call.base_url)


def _name(file: File) -> str:
    return PurePath(file.name.replace("\\", "/")).name[:200] or "clip.wav"
