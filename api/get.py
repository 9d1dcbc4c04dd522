"""`get`, `remove`, `userInfo`, `getPhones`: what is asked about."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from api import numbers, views
from api.fields import Fields, Unfit, empty, integer, structured, take
from api.method import Call, Outcome
from api.refusal import bad_field
from api.store import accounts, calls

MAX_IDS = 5000


def _ids(value: Any) -> Any:
    value = structured(value)
    if empty(value):
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        value = [value]
    if len(value) > MAX_IDS:
        raise Unfit(f"holds {len(value)} ids; at most {MAX_IDS} go into one request")
    return [number for number in map(integer, value) if number is not None]


class Get(Fields):
    """The fields of `get`."""

    api_call_id_list: Annotated[tuple[int, ...], BeforeValidator(_ids)] = ()


class Remove(Fields):
    """The fields of `remove`."""

    id_list: Annotated[tuple[int, ...], BeforeValidator(_ids)] = ()


def get(call: Call) -> Outcome:
    """The account's api-calls of these numbers; others' and unknown ones are left out."""
    wanted = take(Get, call.values)
    if not wanted.api_call_id_list:
        raise bad_field("apiCallIdList", f"is required: an array of 1 to {MAX_IDS} ids")
    with call.database.read() as db:
        found = calls.get(db, call.account.id, wanted.api_call_id_list)
    return [views.api_call(kept) for kept in found]


def remove(call: Call) -> Outcome:
    """Cancel calls that have not begun; those that were cancelled."""
    wanted = take(Remove, call.values)
    if not wanted.id_list:
        raise bad_field("idList", f"is required: an array of 1 to {MAX_IDS} ids")
    with call.database.write() as db:
        cancelled = calls.remove(db, call.account.id, wanted.id_list, call.now())
    return [{"id": kept.id, "apiCallId": kept.id, "phone": kept.phone} for kept in cancelled]


def user_info(call: Call) -> Outcome:
    """The account, as it is now."""
    with call.database.read() as db:
        return views.user(accounts.by_id(db, call.account.id))


def get_phones(call: Call) -> Outcome:
    """The numbers that the account may call from."""
    mine = numbers.of_account(call.trunks, call.account)
    return [{"id": place, "phone": phone, "enable": 1} for place, phone in enumerate(mine, 1)]
