"""Whom a request may call, from which of our numbers, and who is refused."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from api import numbers, phones, views
from api.fields import Unfit
from api.messages import Message
from api.method import Call
from api.problems import Code
from api.refusal import Refusal, bad_field
from api.store.calls import Callee
from api.tariff import Tariff


class Answer(NamedTuple):
    """What becomes of one callee: a call, or an element that says why there is none."""

    callee: Callee | None
    refused: dict[str, Any] | None


class Given(NamedTuple):
    """A callee as the request has it, and the number that is meant; "" if it is none."""

    value: Any
    phone: str


def given(phone: Sequence[Any], more: Sequence[Any]) -> list[Given]:
    """The callees of `phone` and `phones`, in order. Raises Refusal if there are none."""
    others = {str(other) for other in more}
    values = [*(value for value in phone if str(value) not in others), *more]
    if not values:
        raise bad_field("phone", "is required: whom to call, 11 digits; or `phones`, an array of them")
    return [Given(value, _normal(value)) for value in values]


def outgoing(call: Call, asked: str | None, any_of_mine: int) -> Iterator[str]:
    """The numbers to call from, one after another without end. Raises Refusal."""
    mine = numbers.of_account(call.trunks, call.account)
    if asked:
        number = asked.strip()
        try:
            number = phones.normal(number)
        except Unfit:
            number = number.removeprefix("+")
        if number not in mine:
            raise bad_field("outgoingPhone", "is none of this account's numbers; `getPhones` lists them")
        return itertools.repeat(number)
    if not any_of_mine:
        if call.account.outgoing in mine and call.account.outgoing:
            return itertools.repeat(call.account.outgoing)
        raise bad_field("outgoingPhone", "is required: the number to call from; or `dutyPhone`: 1 for any of yours")
    if not mine:
        raise bad_field("dutyPhone", "this account has no number to call from; ask the operator")
    start = secrets.randbelow(len(mine))  # many small requests are spread over the numbers too
    return itertools.cycle(mine[start:] + mine[:start])


def answers(
    callees: Sequence[Given], stopped: Collection[str], free: Decimal, tariff: Tariff, from_numbers: Iterator[str]
) -> list[Answer]:
    """Who is called, as far as the money goes, and who is not."""
    told: list[Answer] = []
    for value, phone in callees:
        if not phone:
            told.append(Answer(None, views.refused(phones.shown(value), Code.PHONE_INVALID, _why(value))))
            continue
        if phone in stopped:
            message = Message("{phone} is on the stop list", phone=phone)
            told.append(Answer(None, views.refused(phone, Code.PHONE_STOPPED, message)))
            continue
        price = tariff.price(phone)
        if price > free:
            message = Message("The balance does not suffice for this call")
            told.append(Answer(None, views.refused(phone, Code.BALANCE_LOW, message)))
            continue
        free -= price
        told.append(Answer(Callee(phone, next(from_numbers), price), None))
    return told


def all_refused(refused: Sequence[dict[str, Any]]) -> Refusal:
    """Nobody is called: the request is an error as a whole."""
    messages = list(dict.fromkeys(element["message"] for element in refused))
    field = "phones" if len(refused) > 1 else "phone"
    return Refusal(refused[0]["code"], messages[0], {field: messages[:20]})


def _normal(value: Any) -> str:
    try:
        return phones.normal(value)
    except Unfit:
        return ""


def _why(value: Any) -> Message:
    try:
        phones.normal(value)
    except Unfit as error:
        return Message("{phone!r} {problem}", phone=phones.shown(value), problem=error.message)
    raise AssertionError("a number that was refused is none")
