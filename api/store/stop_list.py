"""The stop list of an account: numbers that are not to be called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select
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


@dataclass(frozen=True, slots=True)
class Stopped:
    """One number that is not to be called."""

    id: int
    phone: str
    comment: str
    created_at: float


_SHOWN = (stop_list.c.id, stop_list.c.phone, stop_list.c.comment, stop_list.c.created_at)


def page(db: Connection, account_id: int, before: int | None, most: int) -> list[Stopped]:
    """What was put on it before entry `before`, newest first."""
    mine = select(*_SHOWN).where(stop_list.c.account_id == account_id)
    if before is not None:
        mine = mine.where(stop_list.c.id < before)
    return [Stopped(*row) for row in db.execute(mine.order_by(stop_list.c.id.desc()).limit(most))]


def search(db: Connection, account_id: int, beginnings: Collection[str], most: int) -> list[Stopped]:
    """The numbers that begin so, in their order."""
    begins = [stop_list.c.phone.between(digits, f"{digits:9<20}") for digits in beginnings]
    mine = select(*_SHOWN).where(stop_list.c.account_id == account_id, or_(*begins))
    return [Stopped(*row) for row in db.execute(mine.order_by(stop_list.c.phone).limit(most))]


def every(db: Connection, account_id: int, after: int, most: int) -> Iterator[Stopped]:
    """The entries behind number `after`, oldest first."""
    mine = select(*_SHOWN).where(stop_list.c.account_id == account_id, stop_list.c.id > after)
    for row in db.execute(mine.order_by(stop_list.c.id).limit(most)):
        yield Stopped(*row)


def which_are_listed(db: Connection, account_id: int, phones: Collection[str]) -> set[str]:
    """Which of many numbers are on it, by the index: the list may be longer still."""
    asked, found = sorted(phones), set[str]()
    for begin in range(0, len(asked), _IN_ONE_QUERY):
        found |= listed(db, account_id, asked[begin : begin + _IN_ONE_QUERY])
    return found


def count(db: Connection, account_id: int) -> int:
    """How many numbers are on it."""
    mine = select(func.count()).select_from(stop_list).where(stop_list.c.account_id == account_id)
    return db.execute(mine).scalar_one()


def remove(db: Connection, account_id: int, number: int) -> str | None:
    """Take an entry off; the telephone number that may be called again."""
    mine = delete(stop_list).where(stop_list.c.account_id == account_id, stop_list.c.id == number)
    return db.execute(mine.returning(stop_list.c.phone)).scalar_one_or_none()
