"""The end of a call, whole: its result, its cost, its facts, its redial or its webhook, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from api import bodies, redial
from api.recordings import Recordings
from api.store import accounts, calls, money, outbox, queue, stop_list, windows
from api.store.calls import ApiCall
from api.store.queue import End

INTERRUPTED_CAUSE = 41  # Q.850 temporary failure


def conclude(db: Connection, call_id: int, node: str, end: End, base_url: str) -> bool:
    """The call is over; false if it is not this node's any more, and then nothing is written.

    `base_url` is what our own links begin with, in the webhook.
    """
    call = queue.finish(db, call_id, node, end)
    if call is None:
        return False
    if _again(db, call, end.at):
        return True
    url = call.request.options["webhookUrl"]
    if url:
        outbox.add(db, call, "end", url, bodies.end(call, base_url), end.at)
    return True


def block_reached(db: Connection, call: ApiCall, note: Mapping[str, Any], now: float) -> None:
    """The call came to a block that wants to tell."""
    outbox.add(db, call, "block", note["webhook_url"], bodies.block(call, note), now)


def sweep(db: Connection, node: str, now: float, recordings: Recordings) -> int:
    """What a dead node leaves: its calls, see `let_go`, and the webhooks that it was delivering."""
    interrupted = let_go(db, node, now, recordings)
    outbox.release(db, node)
    return interrupted


def let_go(db: Connection, node: str, now: float, recordings: Recordings) -> int:
    """A node's calls: what it never invited is queued again, the rest is over; how many were interrupted."""
    interrupted = queue.cut_off(db, node)
    for call in interrupted:
        told = {
            "call": str(call.api_call_id), "seq": queue.facts_told(db, call.api_call_id) + 1, "at": now,
            "type": "ended", "disposition": "interrupted", "sip_code": None, "hangup_cause": INTERRUPTED_CAUSE,
            "ended_by": "us",
        }  # fmt: skip
        end = End(
            disposition="interrupted",
            answered=call.answered_at is not None,
            at=now,
            hangup_cause=INTERRUPTED_CAUSE,
            heard_ms=call.heard_ms,
            answers=call.answers,
            path=call.path,
            tags=call.tags,
            recording=recordings.left_of(call),
            facts=[told],
        )
        conclude(db, call.id, node, end, recordings.base_url)
    queue.release(db, node, now)  # after them: rows are locked in one order, see api.store.schema
    return len(interrupted)


def _again(db: Connection, call: ApiCall, now: float) -> bool:
    """Queue the callee's next dialing, if there is to be one."""
    options = call.request.options
    at = redial.again_at(options["smartDelay"], [dialing.disposition or "" for dialing in call.calls], now)
    if at is None or stop_list.listed(db, call.account_id, [call.phone]):
        return False
    timezone = accounts.by_id(db, call.account_id).timezone
    try:
        calls.place_again(db, call, windows.opening(options, timezone, at), now)
    except money.NotEnough:  # others have been promised what this call let go
        return False
    return True
