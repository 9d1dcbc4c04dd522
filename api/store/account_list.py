"""Accounts as whoever runs the service looks through them: by pages, with what they did today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select, update

from api.store.accounts import Account, Role
from api.store.schema import accounts, api_calls, sessions

MOST_COUNTED = 10_000  # of an account's calls; beyond it only that there are more is said


class Use(NamedTuple):
    """`calls`: callees asked for since the day began, at most `MOST_COUNTED` + 1.

    `seen_at`: on the page, or when it asked for a call.
    """

    calls: int
    seen_at: float | None


def page(db: Connection, wanted: str, before: int | None, most: int) -> list[Account]:
    """The newest accounts with a number below `before` whose name has `wanted` in it, or whose number that is."""
    found = select(accounts).order_by(accounts.c.id.desc()).limit(most)
    if before is not None:
        found = found.where(accounts.c.id < before)
    if wanted:
        # `lower` of SQLite knows ASCII only, so both spellings of Cyrillic are looked for.
        ways = {wanted, wanted.lower(), wanted.upper(), wanted.capitalize()}
        named = or_(*(accounts.c.name.contains(way, autoescape=True) for way in sorted(ways)))
        named = or_(named, func.lower(accounts.c.name).contains(wanted.lower(), autoescape=True))
        if wanted.isascii() and wanted.isdigit() and len(wanted) <= 15:
            named = or_(named, accounts.c.id == int(wanted))
        found = found.where(named)
    return [Account(*row) for row in db.execute(found)]


def uses(db: Connection, numbers: Sequence[int], day_began: float) -> dict[int, Use]:
    """What these accounts did; bounded however many calls there are."""
    first = _first_since(db, day_began)
    seen_of = select(sessions.c.account_id, func.max(sessions.c.seen_at)).where(sessions.c.account_id.in_(numbers))
    seen = {row[0]: row[1] for row in db.execute(seen_of.group_by(sessions.c.account_id))}
    told = {}
    for number in numbers:
        mine = api_calls.c.account_id == number
        today = select(api_calls.c.id).where(mine, api_calls.c.id >= first).limit(MOST_COUNTED + 1).subquery()
        count = db.execute(select(func.count()).select_from(today)).scalar_one()
        last = db.execute(
            select(api_calls.c.created_at).where(mine).order_by(api_calls.c.id.desc()).limit(1)
        ).scalar_one_or_none()
        times = [at for at in (seen.get(number), last) if at is not None]
        told[number] = Use(count, max(times, default=None))
    return told


def set_role(db: Connection, number: int, role: Role) -> None:
    """What the account may do from now on."""
    db.execute(update(accounts).where(accounts.c.id == number).values(role=role.value))


def _first_since(db: Connection, at: float) -> int:
    """The number of the first api-call made since then: they are numbered in the order in which they are made."""
    low, high = 1, (db.execute(select(func.max(api_calls.c.id))).scalar_one() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        known = db.execute(
            select(api_calls.c.id, api_calls.c.created_at)
            .where(api_calls.c.id >= middle)
            .order_by(api_calls.c.id)
            .limit(1)
        ).one_or_none()
        if known is None or known.created_at >= at:
            high = middle
        else:
            low = known.id + 1
    return low
