"""The facts of calls that are over; those of running ones are in memory (`api.hub`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from api.store.schema import facts


def of(db: Connection, call_id: int) -> list[dict[str, Any]]:
    """All facts of a call, in order."""
    rows = db.execute(select(facts.c.body).where(facts.c.call_id == call_id).order_by(facts.c.seq))
    return [dict(body) for body in rows.scalars()]
