"""`apiBlacklist/addPhonesFromApi`: numbers that are not to be called."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from api import phones, views
from api.fields import Fields, ShortText, Unfit, structured, take
from api.kinds import MAX_PHONES, needs, ref
from api.messages import Message
from api.method import Call, Outcome
from api.phones import listed
from api.problems import Code
from api.refusal import bad_field
from api.store import stop_list


class Entry(Fields):
    """One number; a bare one is an entry without a comment."""

    phone: Any = None
    """The number."""
    comment: ShortText = None
    """Why it is not to be called."""


def _entries(value: Any) -> Any:
    value = structured(value)
    if isinstance(value, dict) and "phone" in value:
        value = [value]
    return [item if isinstance(item, dict) else {"phone": item} for item in listed(value)]


_SOME_ENTRIES = {
    "anyOf": [
        ref("SomePhones"),
        {
            "type": "array",
            "items": {"anyOf": [{"$ref": "#/components/schemas/Entry"}, {"not": {"type": "object"}}]},
            "contains": {"type": "object", "required": ["phone"], "properties": {"phone": ref("Phone")}},
            "minItems": 1,
            "maxItems": MAX_PHONES,
        },
        {
            "allOf": [{"$ref": "#/components/schemas/Entry"}],
            "required": ["phone"],
            "properties": {"phone": ref("Phone")},
        },
    ]
}


class AddPhones(Fields):
    """The numbers. One that is none is refused by its own element of the reply."""

    model_config = needs({"phones": _SOME_ENTRIES})

    phones: Annotated[tuple[Entry, ...], BeforeValidator(_entries)] = ()
    """The numbers, each with a comment or bare."""


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
