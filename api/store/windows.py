"""The calling windows of requests that wait in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from api.store.schema import CallStatus, accounts, calls, requests
from api.window import ALL_DAYS, MIDNIGHT, Opening, Window

WINDOW, PLAN, REDIAL, TURN = "window", "plan", "redial", ""  # what a call waits for


def of(options: Mapping[str, Any], timezone: str) -> Window | None:
    """The window that a request's options ask for; None: any time."""
    start, end, days = options["startTime"], options["endTime"], options["weekdays"]
    if not (start or end or days):
        return None
    return Window(_clock(start), _clock(end), frozenset(days) if days else ALL_DAYS, ZoneInfo(timezone))


def opening(options: Mapping[str, Any], timezone: str, at: float) -> Opening:
    """When a call that is due at `at` may be made."""
    window = of(options, timezone)
    found = Opening(at, None) if window is None else window.next_opening(at)
    return found or Opening(at, None)  # `create` has made sure that the window opens at all


def reopen(db: Connection, request_id: int, now: float) -> None:
    """The request's window has closed over calls that wait: they wait for its next opening, all at once."""
    row = db.execute(
        select(requests.c.options, accounts.c.timezone)
        .join(accounts, accounts.c.id == requests.c.account_id)
        .where(requests.c.id == request_id)
    ).one()
    opens_at, closes_at = opening(row.options, row.timezone, now)
    waiting = select(calls.c.id).where(
        calls.c.request_id == request_id, calls.c.status == CallStatus.CREATED, calls.c.closes_at <= now
    )
    # Those that somebody else has locked are being removed, or come to the next claim: it must wait for nobody.
    shut = update(calls).where(calls.c.id.in_(waiting.with_for_update(skip_locked=True)))
    db.execute(shut.values(due_at=opens_at, closes_at=closes_at, waits_for=WINDOW, updated_at=now))


def _clock(text: str | None) -> time:
    if not text or text == "24:00":
        return MIDNIGHT
    return time.fromisoformat(text)
