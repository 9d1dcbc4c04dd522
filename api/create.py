"""`create`: one request, any number of callees, one place in the queue for each that may be called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from pydantic.alias_generators import to_snake

from api import callees, prompts, views
from api.callees import Answer, Given
from api.create_fields import Create, Order
from api.fields import take
from api.method import Call, Outcome
from api.prompts import Prompts
from api.refusal import bad_field
from api.store import calls, money, stop_list, windows
from api.window import Opening
from ivr import parser
from ivr.bounds import longest_ms
from ivr.model import Record

MAX_TIMEOUT_S = 300
MAX_PLANNED_S = 366 * 86_400
_TOLD_BACK = (
    "webhookUrl", "webhookParameters", "webhookHeaders", "plannedAt", "timeout", "tag", "detectEndOfSpeech",
    "voiceDetectionEnabled", "robotsBlockEnabled", "needRecording", "needRecognition", "smartDelay", "startTime",
    "endTime", "weekdays", "prevCallId", "useOutgoingPhoneForManager",
)  # fmt: skip


class Due(NamedTuple):
    """When a request's calls are made: not before and not from, and what they wait for until then."""

    opening: Opening
    waits_for: str


def create(call: Call) -> Outcome:
    """Queue the calls; the elements of the reply, in the order of the request."""
    wanted = take(Create, call.values)
    given = callees.given(wanted.phone, wanted.phones)
    return launch(call, wanted, given, dry_run=bool(wanted.dry_run))


def launch(
    call: Call, wanted: Order, given: Sequence[Given], *, dry_run: bool, template_id: int | None = None
) -> Outcome:
    """Queue one request's calls, or tell what that would do. Raises Refusal."""
    from_numbers = callees.outgoing(call, wanted.outgoing_phone, wanted.duty_phone)
    options = options_of(call, wanted)
    due = _due(call, wanted, options)
    playing = prompts.resolve(call, wanted)
    prompts.menu(wanted, playing)  # what is wrong with it is found before anything is written
    now = call.now()
    with call.database.write() as db:
        free = money.free(db, call.account.id) - playing.price
        if free < 0:
            raise prompts.no_money(call, "record")
        stopped = stop_list.listed(db, call.account.id, [phone for _, phone in given if phone])
        answers = callees.answers(given, stopped, free, call.tariff, from_numbers)
        accepted = [answer.callee for answer in answers if answer.callee]
        if not accepted:
            raise callees.all_refused([answer.refused for answer in answers if answer.refused])
        if dry_run:
            return _foretell(call, wanted, playing, due, answers)
        menu = prompts.menu(wanted, playing.keep(db, call))
        order = calls.Order(
            options, parser.dump(menu.script), {name: asdict(note) for name, note in menu.blocks.items()}, template_id
        )
        placed = iter(calls.place(db, call.account.id, accepted, order, due.opening, due.waits_for, now))
        notes = {"notes": playing.notes} if playing.notes else {}
        elements = (
            answer.refused or views.element(next(placed), answer.callee.phone, options, now) | notes  # type: ignore[union-attr]
            for answer in answers
        )
        # Thousands of elements take a while: others' writes wait for them only where the transaction keeps the reply.
        outcome = [] if call.repetition is None else list(elements)
        call.keep(db, outcome)
    call.wake()
    return outcome or list(elements)


def options_of(call: Call, wanted: Order) -> dict[str, Any]:
    """What is told back of the request; `get`, the webhooks and the redials read it."""
    if not 1 <= wanted.timeout <= MAX_TIMEOUT_S:
        raise bad_field("timeout", "must lie between {least} and {most} seconds", least=1, most=MAX_TIMEOUT_S)
    given = wanted.model_dump(by_alias=True, include={*map(to_snake, _TOLD_BACK)})
    return {name: given[name] for name in _TOLD_BACK} | {"label": wanted.label or call.address}


def _due(call: Call, wanted: Order, options: dict[str, Any]) -> Due:
    now = call.now()
    if wanted.planned_at is not None and wanted.planned_at > now + MAX_PLANNED_S:
        raise bad_field("plannedAt", "lies more than a year ahead; it is counted in Unix seconds, not milliseconds")
    asked = max(now, wanted.planned_at or 0)
    window = windows.of(options, call.account.timezone)
    if window is None:
        return Due(Opening(asked, None), windows.PLAN if asked > now else windows.TURN)
    if window.never_opens:
        raise bad_field("endTime", "is the same as startTime: the window never opens")
    opening = window.next_opening(asked)
    if opening is None:
        raise bad_field("weekdays", "the window does not open within a week of the planned time")
    if opening.opens_at > asked:
        return Due(opening, windows.WINDOW)
    return Due(opening, windows.PLAN if asked > now else windows.TURN)


def _foretell(call: Call, wanted: Order, playing: Prompts, due: Due, answers: Sequence[Answer]) -> Outcome:
    """What a launch would do now: each callee's element, and why one would not be called. Nothing is written."""
    script = prompts.menu(wanted, playing).script
    plays = longest_ms(script, lambda item: playing.plays_ms(item.id) if isinstance(item, Record) else 0)
    told = []
    for answer in answers:
        if answer.callee is None:
            assert answer.refused is not None
            told.append(answer.refused)
            continue
        phone, outgoing, price = answer.callee
        told.append({
            "phone": phone,
            "outgoingPhone": outgoing,
            "dryRun": 1,
            "startsAt": int(due.opening.opens_at),  # not before
            "windowEndsAt": None if due.opening.closes_at is None else int(due.opening.closes_at),
            "waitsFor": due.waits_for or None,
            "cost": views.money(price),  # of the first step
            "costAtMost": views.money(call.tariff.at_most(price, plays / 1000)),
            "clipsCost": views.money(playing.price),  # once for the request
        } | ({"notes": playing.notes} if playing.notes else {}))  # fmt: skip
    return told
