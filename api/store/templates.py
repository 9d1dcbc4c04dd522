"""Templates: requests without callees, kept to be used again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from api.store.schema import templates


@dataclass(frozen=True, slots=True)
class Template:
    """One row of templates. `fields` are those of `create` as they came, without the callees."""

    id: int
    account_id: int
    name: str
    fields: dict[str, Any]
    created_at: float


def add(db: Connection, account_id: int, name: str, fields: dict[str, Any], now: float) -> Template:
    """A new template."""
    row = {"account_id": account_id, "name": name, "fields": fields, "created_at": now}
    number = db.execute(insert(templates).values(row)).inserted_primary_key
    assert number is not None
    return Template(id=number[0], **row)  # type: ignore[arg-type]


def of(db: Connection, account_id: int) -> list[Template]:
    """The account's templates, in order."""
    mine = select(templates).where(templates.c.account_id == account_id).order_by(templates.c.id)
    return [Template(*row) for row in db.execute(mine)]


def one(db: Connection, account_id: int, number: int) -> Template | None:
    """The account's template of that number."""
    mine = select(templates).where(templates.c.account_id == account_id, templates.c.id == number)
    row = db.execute(mine).one_or_none()
    return Template(*row) if row else None
