"""`moderation/*`: what waits for a moderator, and the decisions. For accounts with the role moderator or operator."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator
from sqlalchemy import Connection

from api import views
from api.fields import Fields, Integer, Text, Unfit, empty, take
from api.kinds import MAX_COMMENT, needs, of_kind, ref
from api.method import Call, Outcome
from api.problems import Code
from api.refusal import Refusal, bad_field
from api.store import accounts, records
from api.store.accounts import AccountStatus
from api.store.records import RecordStatus

ACCOUNT, RECORD = "account", "record"
NO_ACCOUNT = "there is no account with this number"
NO_RECORD = "there is no record with this number"


def _kind(value: Any) -> Any:
    if empty(value):
        return None
    if value not in (ACCOUNT, RECORD):
        raise Unfit("must be `account` or `record`")
    return value


class Decision(Fields):
    """What is decided about."""

    model_config = needs({"kind": ref("Kind"), "id": ref("Whole")})

    kind: Annotated[str | None, BeforeValidator(_kind)] = None
    """An account, or a clip."""
    id: Integer = None
    """Its number."""
    comment: Annotated[Text, of_kind("Comment")] = None
    """What its owner is told."""


class Rejection(Decision):
    """What is rejected, and why."""

    model_config = needs({"kind": ref("Kind"), "id": ref("Whole"), "comment": ref("SomeComment")})


def waiting(call: Call) -> Outcome:
    """Accounts, then clips, that wait; each with what a moderator has to know."""
    _check_role(call)
    with call.database.read() as db:
        waiting_accounts = accounts.in_moderation(db)
        waiting_records = records.in_moderation(db)
    return [
        *(
            {"kind": ACCOUNT, "id": account.id, "name": account.name, "createdAt": int(account.created_at)}
            for account in waiting_accounts
        ),
        *({"kind": RECORD, "account": name, **views.record(record, call.base_url)} for record, name in waiting_records),
    ]


def accept(call: Call) -> Outcome:
    """It may be used from now on. With an account, the clips of its that wait are accepted too."""
    return _decide(call, accepted=True)


def reject(call: Call) -> Outcome:
    """It may not be used; the comment says why, and its owner reads it."""
    return _decide(call, accepted=False)


def _decide(call: Call, *, accepted: bool) -> Outcome:
    _check_role(call)
    wanted = take(Decision, call.values)
    if wanted.kind is None:
        raise bad_field("kind", "is required: `account` or `record`")
    if wanted.id is None:
        raise bad_field("id", "is required: the number of the account or record")
    comment = checked_comment(wanted.comment or "", accepted=accepted)
    with call.database.write() as db:
        if not decide(db, wanted.kind, wanted.id, comment, accepted=accepted):
            raise bad_field("id", NO_ACCOUNT if wanted.kind == ACCOUNT else NO_RECORD)
        outcome = {
            "kind": wanted.kind,
            "id": wanted.id,
            "status": "ready" if accepted else "rejected",
            "comment": comment,
        }
        call.keep(db, outcome)
    call.wake()
    return outcome


def checked_comment(comment: str, *, accepted: bool) -> str:
    """What the owner is told; Refusal of field `comment`."""
    comment = comment.strip()
    if not comment and not accepted:
        raise bad_field("comment", "is required: the owner must know why")
    if len(comment) > MAX_COMMENT:
        raise bad_field("comment", "is longer than {most} characters", most=MAX_COMMENT)
    return comment


def decide(db: Connection, kind: str, number: int, comment: str, *, accepted: bool, waiting: bool = False) -> bool:
    """The decision, with all that follows from it; false if there is no such account or record, or, with `waiting`, if
    somebody has decided already. The dispatcher must be woken afterwards."""
    if kind == RECORD:
        status = RecordStatus.READY if accepted else RecordStatus.REJECTED
        return records.decide(db, number, status, comment, waiting=waiting)
    known = accounts.decide(
        db, number, AccountStatus.READY if accepted else AccountStatus.REJECTED, comment, waiting=waiting
    )
    if accepted and known:
        records.accept_all(db, number)
    return known


def _check_role(call: Call) -> None:
    if not call.account.may_moderate:
        raise Refusal(Code.ROLE_MISSING)
