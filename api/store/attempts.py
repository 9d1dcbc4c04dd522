"""Failures to sign in, by account and by address; `api.attempts` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api import attempts as rules
from api.attempts import Rule, Tries
from api.store.schema import attempts


def longest_wait_s(db: Connection, names: Mapping[str, Rule], now: float) -> float:
    """Seconds until all of these names may try; reads only."""
    rows = db.execute(select(attempts).where(attempts.c.name.in_(names)))
    return max((rules.wait_s(Tries(*row[1:]), now) for row in rows), default=0.0)


def begin(db: Connection, names: Mapping[str, Rule], now: float) -> float:
    """A try of all these names counts as a failure until it is `succeeded`; else nothing is counted, and the seconds
    to wait come back."""
    known = {
        name: _locked(db, name, now) for name in sorted(names)
    }  # in this order, so that no two wait for each other
    wait = max(rules.wait_s(tries, now) for tries in known.values())
    if wait == 0.0:
        for name, tries in known.items():
            _keep(db, name, rules.failed(names[name], tries, now))
    return wait


def succeeded(db: Connection, account: str, address: str, now: float) -> None:
    """The password was right: the account's failures are gone, the address has one less."""
    tries = _locked(db, address, now)
    db.execute(delete(attempts).where(attempts.c.name == account))
    _keep(db, address, rules.taken_back(tries, now))


def forget(db: Connection, now: float) -> None:
    """What was so long ago that it means nothing."""
    old = now - rules.FORGOTTEN_S
    db.execute(delete(attempts).where(attempts.c.failed_at < old, attempts.c.free_at < now))


def _locked(db: Connection, name: str, now: float) -> Tries:
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    row = {"name": name, "failures": 0, "failed_at": now, "free_at": now}
    db.execute(insert(attempts).values(row).on_conflict_do_nothing(index_elements=[attempts.c.name]))
    return Tries(*db.execute(select(attempts).where(attempts.c.name == name).with_for_update()).one()[1:])


def _keep(db: Connection, name: str, tries: Tries) -> None:
    changed = {"failures": tries.failures, "failed_at": tries.failed_at, "free_at": tries.free_at}
    db.execute(update(attempts).where(attempts.c.name == name).values(changed))
