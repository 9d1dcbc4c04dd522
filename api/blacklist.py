"""`apiBlacklist/addPhonesFromApi`: numbers that are not to be called."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from api import phones, views
from api.fields import Fields, ShortText, Unfit, structured, take
from api.messages import Message
from api.method import Call, Outcome
from api.phones import listed
from api.problems import Code
from api.refusal import bad_field
from api.store import stop_list


class Entry(Fields):
    """One number; a bare one is an entry without a comment."""

    phone: Any = None
    comment: ShortText = None


def _entries(value: Any) -> Any:
    value = structured(value)
    if isinstance(value, dict) and "phone" in value:
        value = [value]
    return [item if isinstance(item, dict) else {"phone": item} for item in listed(value)]


class AddPhones(Fields):
    """The fields of `addPhonesFromApi`."""

    phones: Annotated[tuple[Entry, ...], BeforeValidator(_entries)] = ()


def add_phones(call: Call) -> Outcome:
    """Put numbers on the account's stop list; how many were accepted, and which were not."""
    wanted = take(AddPhones, call.values)
    if not wanted.phones:
        raise bad_field(
            "phones", "is required: an array of {example}", example='{"phone": "79991234567", "comment": ""}'
        )
    comments: dict[str, str] = {}
    refused: list[dict[str, Any]] = []
    for entry in wanted.phones:
        try:
            comments[phones.normal(entry.phone)] = entry.comment or ""
        except Unfit as error:
            shown = phones.shown(entry.phone)
            message = Message("{phone!r} {problem}", phone=shown, problem=error.message)
            refused.append(views.refused(shown, Code.PHONE_INVALID, message))
    if not comments:
        raise bad_field("phones", refused[0]["message"], Code.PHONE_INVALID)
    outcome: Outcome = {"count": len(comments), "accepted": len(comments), "refused": refused}
    with call.database.write() as db:
        stop_list.add(db, call.account.id, comments, call.now())
        call.keep(db, outcome)
    return outcome
