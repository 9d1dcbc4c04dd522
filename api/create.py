"""`create`: one request, any number of callees, one place in the queue for each that may be called."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from pydantic.alias_generators import to_snake

from api import numbers, phones, tariff, views
from api.create_fields import Block, Create, RecordFields
from api.fields import Unfit, empty, take
from api.method import Call, Outcome
from api.refusal import Refusal, bad_field, bad_fields
from api.store import calls, records
from api.store.calls import Callee
from ivr import parser
from ivr.menu import Menu, MenuError, compile_menu

MAX_TIMEOUT_S = 300
MAX_PLANNED_S = 366 * 86_400
MODERATION = (
    "the account has not passed moderation, and neither has this clip: calls start when one of them has; "
    "ask the operator"
)


class _Answer(NamedTuple):
    """What becomes of one callee: a call, or an element that says why there is none."""

    callee: Callee | None
    refused: dict[str, Any] | None


def create(call: Call) -> Outcome:
    """Queue the calls; the elements of the reply, in the order of the request."""
    wanted = take(Create, call.values)
    given = _callees(wanted)
    from_numbers = _outgoing(call, wanted)
    _check_times(call, wanted)
    with call.database.read() as db:
        menu = _menu(call, wanted, records.of(db, call.account.id))
    options = _options(call, wanted)
    script, notes = parser.dump(menu.script), {name: asdict(note) for name, note in menu.blocks.items()}
    now = call.now()
    with call.database.write() as db:
        known = [_normal(value) for value in given]
        stopped = calls.stopped(db, call.account.id, [phone for phone in known if phone])
        affordable = int(calls.money_left(db, call.account.id, tariff.PRICE_PER_STEP) / tariff.PRICE_PER_STEP)
        answers = list(_answers(given, known, stopped, affordable, from_numbers))
        accepted = [answer.callee for answer in answers if answer.callee]
        if not accepted:
            raise _all_refused([answer.refused for answer in answers if answer.refused])
        placed = calls.place(
            db, call.account.id, accepted, options=options, script=script, menu=notes,
            due_at=max(now, wanted.planned_at or 0), now=now,
        )  # fmt: skip
    call.wake()
    following = iter(placed)
    return [
        answer.refused or views.element(next(following), answer.callee.phone, options, now)  # type: ignore[union-attr]
        for answer in answers
    ]


def _callees(wanted: Create) -> list[Any]:
    given = list(wanted.phones)
    if wanted.phone:
        first = [value for value in wanted.phone if str(value) not in {str(other) for other in given}]
        given = [*first, *given]
    if not given:
        raise bad_field("phone", "is required: whom to call, 11 digits; or `phones`, an array of them")
    return given


def _outgoing(call: Call, wanted: Create) -> Iterator[str]:
    """The numbers to call from, one after another."""
    mine = numbers.of_account(call.trunks, call.account)
    if not empty(wanted.outgoing_phone) and str(wanted.outgoing_phone) not in ("0", "False"):
        asked = str(wanted.outgoing_phone).strip()
        try:
            asked = phones.normal(asked)
        except Unfit:
            asked = asked.removeprefix("+")
        if asked not in mine:
            raise bad_field("outgoingPhone", "is none of this account's numbers; `getPhones` lists them")
        return itertools.repeat(asked)
    if not wanted.duty_phone:
        raise bad_field("outgoingPhone", "is required: the number to call from; or `dutyPhone`: 1 for any of yours")
    if not mine:
        raise bad_field("dutyPhone", "this account has no number to call from; ask the operator")
    start = secrets.randbelow(len(mine))  # many small requests are spread over the numbers too
    return itertools.cycle(mine[start:] + mine[:start])


def _check_times(call: Call, wanted: Create) -> None:
    if not 1 <= wanted.timeout <= MAX_TIMEOUT_S:
        raise bad_field("timeout", f"must lie between 1 and {MAX_TIMEOUT_S} seconds")
    if wanted.planned_at is not None and wanted.planned_at > call.now() + MAX_PLANNED_S:
        raise bad_field("plannedAt", "lies more than a year ahead; it is counted in Unix seconds, not milliseconds")


def _menu(call: Call, wanted: Create, mine: Sequence[records.Record]) -> Menu:
    """The script of the calls. Raises Refusal for clips that are not the account's or not to be played."""
    if wanted.record is None or (wanted.record.id is None and wanted.record.text is None):
        raise bad_field("record", 'is required: the first clip, for example {"id": 15}')
    known = {record.id: record for record in mine}
    errors: dict[str, list[str]] = {}
    for place, used in _clips(wanted.record, wanted.ivrs):
        problem = _problem(call, used, known)
        if problem:
            errors[place + (".id" if used.id is not None else ".text")] = [problem]
    if errors:
        raise bad_fields(errors)
    ivrs = [block.model_dump(by_alias=True) for block in wanted.ivrs]
    try:
        return compile_menu(
            str(wanted.record.id), ivrs, tag=wanted.tag, voice=bool(wanted.voice_detection_enabled), name="create"
        )
    except MenuError as error:
        raise bad_field(error.path.replace("[", ".").replace("]", ""), error.message) from error


def _clips(first: RecordFields, blocks: Sequence[Block], place: str = "") -> Iterator[tuple[str, RecordFields]]:
    if not place:
        yield "record", first
        place = "ivrs"
    for index, block in enumerate(blocks):
        if block.record is not None and (block.record.id is not None or block.record.text is not None):
            yield f"{place}.{index}.record", block.record
        yield from _clips(first, block.ivrs, f"{place}.{index}.ivrs")


def _problem(call: Call, used: RecordFields, known: Mapping[int, records.Record]) -> str:
    if used.id is None:
        return "clips from text are not available yet; upload a file with `createRecord` and give its id"
    if used.id not in known:
        return f"there is no record {used.id}; `getRecords` lists yours"
    if known[used.id].status != records.READY and not call.account.moderated:
        return MODERATION
    return ""


def _options(call: Call, wanted: Create) -> dict[str, Any]:
    """What is told back of the request; `get` and the webhooks read it."""
    told = (
        "webhookUrl", "webhookParameters", "webhookHeaders", "plannedAt", "timeout", "tag", "detectEndOfSpeech",
        "voiceDetectionEnabled", "robotsBlockEnabled", "needRecording", "needRecognition", "smartDelay", "startTime",
        "endTime", "weekdays", "prevCallId",
    )  # fmt: skip
    given = wanted.model_dump(by_alias=True, include={*map(to_snake, told)})
    return {name: given[name] for name in told} | {"label": wanted.label or call.address}


def _normal(value: Any) -> str:
    try:
        return phones.normal(value)
    except Unfit:
        return ""


def _answers(
    given: Sequence[Any], known: Sequence[str], stopped: set[str], affordable: int, from_numbers: Iterator[str]
) -> Iterator[_Answer]:
    for value, phone in zip(given, known, strict=True):
        if not phone:
            yield _Answer(None, views.refused(phones.shown(value), _why(value)))
        elif phone in stopped:
            yield _Answer(None, views.refused(phone, f"{phone} is on the stop list"))
        elif affordable <= 0:
            yield _Answer(None, views.refused(phone, "The balance does not suffice for this call"))
        else:
            affordable -= 1
            yield _Answer(Callee(phone, next(from_numbers)), None)


def _why(value: Any) -> str:
    try:
        phones.normal(value)
    except Unfit as error:
        return f"{phones.shown(value)!r} {error}"
    return ""


def _all_refused(refused: Sequence[dict[str, Any]]) -> Refusal:
    messages = list(dict.fromkeys(element["message"] for element in refused))
    return Refusal(422, messages[0], {"phones" if len(refused) > 1 else "phone": messages[:20]})
