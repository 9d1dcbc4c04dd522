"""Lanes: the part of the queue that one account has on one outgoing number, and when its next call is due.

Whoever puts a call into the queue says so here, in the same transaction; so what is due is found without looking
through what is planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.store import wakeup
from api.store.schema import CallStatus, calls, lanes
from api.turns import Lane


def bring_forward(db: Connection, account_id: int, due_at: Mapping[str, float], now: float) -> None:
    """Calls of the account were queued: by outgoing number, when the first of them is due. Other nodes are woken."""
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    earlier = func.min if db.dialect.name == "sqlite" else func.least
    for outgoing in sorted(due_at):
        row = {"outgoing": outgoing, "account_id": account_id, "next_due": due_at[outgoing], "served_at": 0.0}
        wanted = insert(lanes).values(row)
        sooner = earlier(func.coalesce(lanes.c.next_due, wanted.excluded.next_due), wanted.excluded.next_due)
        db.execute(
            wanted.on_conflict_do_update(
                index_elements=[lanes.c.outgoing, lanes.c.account_id], set_={"next_due": sooner}
            )
        )
    if any(at <= now for at in due_at.values()):  # transactions that notify end one after another: no more than need be
        wakeup.notify(db, wakeup.CALLS)


def due(db: Connection, numbers: Sequence[str], now: float, most: int) -> list[Lane]:
    """The lanes of these numbers in which a call is due, those served longest ago first; locked for this claim."""
    waiting = (
        select(lanes.c.outgoing, lanes.c.account_id, lanes.c.served_at)
        .where(lanes.c.outgoing.in_(numbers), lanes.c.next_due <= now)
        .order_by(lanes.c.served_at, lanes.c.account_id, lanes.c.outgoing)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [Lane(*row) for row in db.execute(waiting)]


def is_due(db: Connection, numbers: Sequence[str], now: float) -> bool:
    """Whether any call from these numbers is due; reads only."""
    waiting = select(lanes.c.account_id).where(lanes.c.outgoing.in_(numbers), lanes.c.next_due <= now)
    return db.execute(waiting.limit(1)).first() is not None


def settle(db: Connection, lane: Lane, served_at: float | None) -> None:
    """After a claim: when its next call is due now, and that it was served."""
    first = select(func.min(calls.c.due_at)).where(
        calls.c.outgoing == lane.outgoing, calls.c.account_id == lane.account_id, calls.c.status == CallStatus.CREATED
    )
    mine = update(lanes).where(lanes.c.outgoing == lane.outgoing, lanes.c.account_id == lane.account_id)
    changed = {"next_due": first.scalar_subquery()}
    db.execute(mine.values(changed if served_at is None else changed | {"served_at": served_at}))
