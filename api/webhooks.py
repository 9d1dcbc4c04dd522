"""`webhooks/list` and `webhooks/resend`: what was told to the account's programs, every try, and telling it again."""

from __future__ import annotations

from api import views
from api.fields import Fields, Flag, Ids, Integer, take
from api.kinds import needs, ref
from api.method import Call, Outcome
from api.refusal import bad_field
from api.store import outbox

MAX_SHOWN = 200


class ListWebhooks(Fields):
    """Which webhooks; the newest of all if nothing is said."""

    id_list: Ids = ()
    """The numbers of webhooks."""
    api_call_id_list: Ids = ()
    """The numbers of api-calls."""
    only_failed: Flag = 0
    """1: only those that have failed at least once and are not delivered."""
    since: Integer = None
    """Only those made since then, Unix seconds."""


class Resend(Fields):
    """Which webhooks, or all that failed since a time."""

    model_config = needs({"idList": ref("SomeIds")}, {"failedSince": ref("Whole")})

    id_list: Ids = ()
    """The numbers of webhooks, as `webhooks/list` tells them."""
    failed_since: Integer = None
    """All that failed and were made since then, Unix seconds."""


def list_webhooks(call: Call) -> Outcome:
    """The newest webhooks of the account that fit, with each try: what was sent, when, and what came back."""
    wanted = take(ListWebhooks, call.values)
    with call.database.read() as db:
        found = outbox.webhooks(
            db, call.account.id, numbers=wanted.id_list or None, api_call_ids=wanted.api_call_id_list or None,
            failed_only=bool(wanted.only_failed), since=wanted.since or 0, most=MAX_SHOWN,
        )  # fmt: skip
    return [views.webhook(kept) for kept in found]


def resend(call: Call) -> Outcome:
    """Send them again, in their order; the numbers of those that will be."""
    wanted = take(Resend, call.values)
    if not wanted.id_list and wanted.failed_since is None:
        raise bad_field("idList", "is required: which webhooks; or `failedSince`: all that failed since that time")
    with call.database.write() as db:
        numbers = outbox.send_again(
            db, call.account.id, call.now(), numbers=wanted.id_list or None, failed_since=wanted.failed_since
        )
        outcome: Outcome = [{"id": number} for number in numbers]
        call.keep(db, outcome)
    call.told()
    return outcome
