"""The facts of calls that are over; those of running ones are in memory (`api.hub`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from api.store.schema import facts


def of(db: Connection, call_ids: Collection[int], *, beyond: int = 0) -> list[dict[str, Any]]:
    """The facts of the dialings of an api-call behind number `beyond`, in order: `seq` is counted on from one to the
    next."""
    mine = select(facts.c.body).where(facts.c.call_id.in_(call_ids), facts.c.seq > beyond)
    rows = db.execute(mine.order_by(facts.c.seq))
    return [dict(body) for body in rows.scalars()]
