"""`get`, `getWithTemplates`, `remove`, `userInfo`, `getPhones`: what is asked about."""

from __future__ import annotations

from api import numbers, views
from api.fields import Fields, Flag, Ids, take
from api.kinds import MAX_IDS, needs, ref
from api.method import Call, Outcome
from api.refusal import bad_field
from api.store import accounts, calls
from api.store.calls import ApiCall


class Get(Fields):
    """Which api-calls."""

    model_config = needs({"apiCallIdList": ref("SomeIds")})

    api_call_id_list: Ids = ()
    """The numbers of api-calls, as `create` told them."""


class Remove(Fields):
    """Which api-calls are not to be made."""

    model_config = needs({"idList": ref("SomeIds")})

    id_list: Ids = ()
    """The numbers of api-calls, as `create` told them."""
    is_template: Flag = 0
    """1: only calls that were made from templates."""


def get(call: Call) -> Outcome:
    """The account's api-calls of these numbers; others' and unknown ones are left out."""
    return [views.api_call(kept, call.base_url) for kept in _asked(call)]


def get_with_templates(call: Call) -> Outcome:
    """The same for calls that were made from templates; others are left out."""
    return [views.api_call(kept, call.base_url) for kept in _asked(call) if kept.request.template_id is not None]


def _asked(call: Call) -> list[ApiCall]:
    wanted = take(Get, call.values)
    if not wanted.api_call_id_list:
        raise bad_field("apiCallIdList", "is required: an array of 1 to {most} ids", most=MAX_IDS)
    with call.database.read() as db:
        return calls.get(db, call.account.id, wanted.api_call_id_list)


def remove(call: Call) -> Outcome:
    """Cancel calls that have not begun; those that were cancelled."""
    wanted = take(Remove, call.values)
    if not wanted.id_list:
        raise bad_field("idList", "is required: an array of 1 to {most} ids", most=MAX_IDS)
    with call.database.write() as db:
        cancelled = calls.remove(db, call.account.id, wanted.id_list, call.now(), of_templates=bool(wanted.is_template))
        outcome: Outcome = [{"id": kept.id, "apiCallId": kept.id, "phone": kept.phone} for kept in cancelled]
        call.keep(db, outcome)
    return outcome


def user_info(call: Call) -> Outcome:
    """The account, as it is now."""
    with call.database.read() as db:
        return views.user(accounts.by_id(db, call.account.id))


def get_phones(call: Call) -> Outcome:
    """The numbers that the account may call from."""
    mine = numbers.of_account(call.trunks, call.account)
    return [{"id": place, "phone": phone, "enable": 1} for place, phone in enumerate(mine, 1)]
