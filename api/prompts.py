"""The clips of a request: records that are named, and texts that have to become records first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from api.create_fields import Block, Order, RecordFields
from api.fields import Unfit
from api.messages import Message
from api.method import Call
from api.problems import Code
from api.refusal import Refusal, bad_field, bad_fields
from api.speech import Spoken, language_of, needs_moderation
from api.store import money, records
from api.store.records import Record, RecordStatus
from ivr.menu import Menu, MenuError, compile_menu
from ivr.model import CallerId

MODERATION = (
    "the account has not passed moderation, and neither has this clip: calls start when one of them has; "
    "ask the operator"
)
REJECTED = "a moderator has rejected this clip: {comment}"
_Text = tuple[str, int, str]  # text, gender, language


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a request plays. Texts that the account had spoken before are records already."""

    records: Mapping[int, Record]
    texts: Mapping[_Text, Record]
    new: Mapping[_Text, Spoken]

    @property
    def price(self) -> Decimal:
        """Of what has to be made."""
        return sum((spoken.record.cost for spoken in self.new.values()), Decimal(0))

    @property
    def notes(self) -> list[Message]:
        """What the voices could not do."""
        return [note for spoken in self.new.values() for note in spoken.notes]

    def keep(self, db: Connection, call: Call) -> Prompts:
        """Make records of the new texts, and charge for them; the prompts that all are records. NotEnough."""
        made = dict(self.texts)
        for text, spoken in self.new.items():
            record = records.add(db, call.account.id, spoken.record, RecordStatus.READY, call.now())
            money.charge_clip(db, call.account.id, spoken.record.cost, record.id, call.now())
            made[text] = record
        return Prompts(self.records, made, {})

    def plays_ms(self, record_id: str) -> int:
        """How long a clip of the menu plays."""
        known = {**self.records, **{record.id: record for record in self.texts.values()}}
        number = int(record_id)
        if number in known:
            return known[number].duration_ms
        return max((spoken.record.duration_ms for spoken in self.new.values()), default=0)

    def id_of(self, used: RecordFields | None) -> str | None:
        """The number of a clip's record; "0" for one that is yet to be made."""
        if used is None or used.is_none:
            return None
        if used.id is not None:
            return str(used.id)
        record = self.texts.get(_text(used))
        return str(record.id) if record else "0"


def check(call: Call, wanted: Order) -> None:
    """Raise Refusal for records that are not the account's, texts that it may not have spoken, and a wrong menu."""
    used = _used(wanted)
    with call.database.read() as db:
        known = _named(db, call, used)
    if not call.account.moderated and any(clip.id is None for _, clip in used):
        raise needs_moderation("record")
    menu(wanted, Prompts(known, {}, {}))


def resolve(call: Call, wanted: Order) -> Prompts:
    """Find the records, speak the texts. Raises Refusal for what is not the account's or not to be played."""
    used = _used(wanted)
    with call.database.read() as db:
        known = _named(db, call, used)
        texts = {_text(clip): place for place, clip in used if clip.id is None}
        spoken_before = {text: records.spoken(db, call.account.id, *text) for text in texts}
    made = {text: record for text, record in spoken_before.items() if record is not None}
    new = {
        text: call.speech.speak(call.account, f"{place}.text", *text, name="")
        for text, place in texts.items()
        if text not in made
    }
    return Prompts(known, made, new)


def menu(wanted: Order, prompts: Prompts) -> Menu:
    """The script of the calls. Raises Refusal."""
    try:
        return compile_menu(
            prompts.id_of(wanted.record) or "0", [_block(block, prompts) for block in wanted.ivrs],
            tag=wanted.tag, voice=bool(wanted.voice_detection_enabled), name="create",
            manager_caller_id=CallerId.OUTGOING if wanted.use_outgoing_phone_for_manager else CallerId.CALLEE,
        )  # fmt: skip
    except MenuError as error:
        field = error.path.replace("[", ".").replace("]", "")
        raise bad_field(field, Message(error.template, **error.values)) from error


def _block(block: Block, prompts: Prompts) -> dict[str, Any]:
    told = block.model_dump(by_alias=True, exclude={"ivrs", "record"})
    return told | {
        "record": prompts.id_of(block.record),
        "ivrs": [_block(child, prompts) for child in block.ivrs],
    }


def _clips(first: RecordFields, blocks: Sequence[Block]) -> Iterator[tuple[str, RecordFields]]:
    yield "record", first
    yield from _of_blocks(blocks, "ivrs")


def _of_blocks(blocks: Sequence[Block], place: str) -> Iterator[tuple[str, RecordFields]]:
    for index, block in enumerate(blocks):
        if block.record is not None and not block.record.is_none:
            yield f"{place}.{index}.record", block.record
        yield from _of_blocks(block.ivrs, f"{place}.{index}.ivrs")


def _used(wanted: Order) -> list[tuple[str, RecordFields]]:
    if wanted.record is None or wanted.record.is_none:
        raise bad_field("record", "is required: the first clip, for example {example}", example='{"id": 15}')
    return list(_clips(wanted.record, wanted.ivrs))


def _named(db: Connection, call: Call, used: Sequence[tuple[str, RecordFields]]) -> dict[int, Record]:
    wanted = {clip.id for _, clip in used if clip.id is not None}
    known = {record.id: record for record in records.of(db, call.account.id, wanted)}
    _check_named(call, used, known)
    return known


def _check_named(call: Call, used: Sequence[tuple[str, RecordFields]], known: Mapping[int, Record]) -> None:
    errors: dict[str, list[Message]] = {}
    codes: list[Code] = []
    for place, clip in used:
        problem = None if clip.id is None else _problem(call, clip.id, known)
        if problem is not None:
            errors[f"{place}.id"] = [problem.message]
            codes.append(problem.code)
    if errors:
        raise bad_fields(errors, codes[0])


def _problem(call: Call, number: int, known: Mapping[int, Record]) -> Unfit | None:
    if number not in known:
        return Unfit("there is no record {number}; `getRecords` lists yours", Code.RECORD_UNKNOWN, number=number)
    record = known[number]
    if record.status == RecordStatus.REJECTED:
        return Unfit(REJECTED, Code.MODERATION_NEEDED, comment=record.moderator_comment)
    if record.status != RecordStatus.READY and not call.account.moderated:
        return Unfit(MODERATION, Code.MODERATION_NEEDED)
    return None


def _text(used: RecordFields) -> _Text:
    assert used.text is not None
    return used.text, used.gender, used.language or language_of(used.text)


def no_money(call: Call, field: str) -> Refusal:
    """The clips that would have to be made cost more than there is."""
    return bad_field(field, "The balance does not suffice for the clips of this request", Code.BALANCE_LOW)
