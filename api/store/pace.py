"""The pace of trunks and numbers, shared by all nodes: GCRA (ITU-T I.371) with its state in the store.

A start slot is taken in the transaction of the fence, so in any one second no more calls start than allowed plus one,
however many nodes there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.store.schema import pace


def take_slot(db: Connection, rates: Mapping[str, float], now: float) -> float:
    """The next start slot (Unix seconds) in which all of these may start a call; `rates` are calls a second by name."""
    if not rates:
        return now
    names = sorted(rates)
    _make(db, names)
    known = _locked(db, names)
    start = max(now, *(known[name] for name in names))
    for name in names:
        db.execute(update(pace).where(pace.c.name == name).values(next_at=start + 1 / rates[name]))
    return start


def slots(db: Connection, rates: Mapping[str, float], now: float, horizon_s: float) -> dict[str, int]:
    """How many start slots of each lie before `now + horizon_s`."""
    mine = select(pace.c.name, pace.c.next_at).where(pace.c.name.in_(rates))
    known = {row.name: row.next_at for row in db.execute(mine)}
    return {
        name: max(0, math.floor((now + horizon_s - max(now, known.get(name, 0.0))) * rate) + 1)
        for name, rate in rates.items()
    }


def turn_to_claim(db: Connection, trunk: str) -> bool:
    """Lock the trunk for this transaction; false while another node claims for it."""
    name = f"trunk:{trunk}"
    _make(db, [name])
    mine = select(pace.c.name).where(pace.c.name == name).with_for_update(skip_locked=True)
    return db.execute(mine).first() is not None


def _make(db: Connection, names: list[str]) -> None:
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    known = set(db.execute(select(pace.c.name).where(pace.c.name.in_(names))).scalars())
    for name in names:
        if name not in known:
            db.execute(insert(pace).values(name=name, next_at=0.0).on_conflict_do_nothing())


def _locked(db: Connection, names: list[str]) -> dict[str, float]:
    mine = select(pace.c.name, pace.c.next_at).where(pace.c.name.in_(names)).order_by(pace.c.name).with_for_update()
    return {row.name: row.next_at for row in db.execute(mine)}
