"""The facts of calls that are over; those of running ones are in memory (`api.hub`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from api.store.schema import facts


def of(db: Connection, call_ids: Collection[int]) -> list[dict[str, Any]]:
    """All facts of the dialings of an api-call, in order: `seq` is counted on from one to the next."""
    rows = db.execute(select(facts.c.body).where(facts.c.call_id.in_(call_ids)).order_by(facts.c.seq))
    return [dict(body) for body in rows.scalars()]
