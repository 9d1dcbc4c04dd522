"""The stop list of an account: numbers that are not to be called."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from api.store.schema import stop_list

_IN_ONE_QUERY = 500


def add(db: Connection, account_id: int, comments: Mapping[str, str], now: float) -> None:
    """Put numbers on it, each with a comment; those that are there already stay as they are."""
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    rows = [
        {"account_id": account_id, "phone": phone, "comment": comment, "created_at": now}
        for phone, comment in sorted(comments.items())
    ]
    if rows:
        db.execute(insert(stop_list).on_conflict_do_nothing(), rows)


def listed(db: Connection, account_id: int, phones: Collection[str]) -> set[str]:
    """Which of these numbers are on it."""
    of_account = select(stop_list.c.phone).where(stop_list.c.account_id == account_id)
    if len(phones) <= _IN_ONE_QUERY:
        of_account = of_account.where(stop_list.c.phone.in_(phones))
    return set(db.execute(of_account).scalars()) & set(phones)
