"""Webhooks that are to be delivered: written with what they tell of, in the same transaction.

Of one api-call's webhooks only the oldest that is not done is ever due: they come in order. `owner` is the node that
delivers it just now; a dead node's are freed, so each comes at least once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, and_, func, insert, select, update

from api.store.calls import ApiCall
from api.store.schema import accounts, api_calls, nodes, outbox

MAX_HOST = 300  # outbox.host; no real name is as long (RFC 1035: 255)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook, to be sent now."""

    id: int
    account_id: int
    api_call_id: int
    kind: str
    url: str
    host: str
    headers: dict[str, str]
    body: dict[str, Any]
    tries: int
    created_at: float
    secret: str

    def __repr__(self) -> str:  # the secret belongs in no log
        return f"Delivery({self.id}, {self.kind!r}, {self.host!r})"


def add(db: Connection, call: ApiCall, kind: str, url: str, body: Mapping[str, Any], now: float) -> None:
    """A webhook about this api-call, due at once."""
    row = {
        "account_id": call.account_id, "api_call_id": call.id, "kind": kind, "url": url, "host": host_of(url),
        "headers": call.request.options["webhookHeaders"] or {}, "body": dict(body), "next_at": now, "created_at": now,
    }  # fmt: skip
    db.execute(insert(outbox).values(row))


def waiting(db: Connection, now: float) -> bool:
    """Whether anything is due; reads only."""
    due = select(outbox.c.id).where(outbox.c.done_at.is_(None), outbox.c.owner.is_(None), outbox.c.next_at <= now)
    return db.execute(due.limit(1)).first() is not None


def claim(db: Connection, node: str, busy: Collection[str], per_host: int, room: int, now: float) -> list[Delivery]:
    """Take at most `room` webhooks that are due, at most `per_host` of one host, none of the busy hosts."""
    older = outbox.alias("older")
    first = ~(
        select(older.c.id)
        .where(older.c.api_call_id == outbox.c.api_call_id, older.c.id < outbox.c.id, older.c.done_at.is_(None))
        .exists()
    )
    turn = func.row_number().over(partition_by=outbox.c.host, order_by=(outbox.c.next_at, outbox.c.id))
    due = select(outbox.c.id, outbox.c.next_at, turn.label("turn")).where(
        outbox.c.done_at.is_(None), outbox.c.owner.is_(None), outbox.c.next_at <= now, first
    )
    if busy:
        due = due.where(outbox.c.host.not_in(busy))
    due_now = due.subquery()
    chosen = select(due_now.c.id).where(due_now.c.turn <= per_host).order_by(due_now.c.next_at).limit(room)
    numbers = db.execute(chosen).scalars().all()
    if not numbers:
        return []
    mine = update(outbox).where(and_(outbox.c.id.in_(numbers), outbox.c.owner.is_(None)))
    taken = db.execute(mine.values(owner=node, tries=outbox.c.tries + 1).returning(outbox.c.id)).scalars().all()
    rows = db.execute(
        select(
            outbox.c.id, outbox.c.account_id, outbox.c.api_call_id, outbox.c.kind, outbox.c.url, outbox.c.host,
            outbox.c.headers, outbox.c.body, outbox.c.tries, outbox.c.created_at, accounts.c.webhook_secret,
        )
        .join(accounts, accounts.c.id == outbox.c.account_id)
        .where(outbox.c.id.in_(taken))
        .order_by(outbox.c.next_at, outbox.c.id)
    )  # fmt: skip
    return [Delivery(*row) for row in rows]


def settle(
    db: Connection, delivery: Delivery, node: str, *, delivered: bool, again_at: float | None, now: float
) -> None:
    """A try is over: it arrived, or it is tried again at `again_at` (None: given up)."""
    mine = update(outbox).where(outbox.c.id == delivery.id, outbox.c.owner == node)
    done = None if again_at is not None and not delivered else now
    settled = db.execute(mine.values(owner=None, done_at=done, delivered=delivered, next_at=again_at or now))
    if settled.rowcount and delivery.kind == "end":
        counted = update(api_calls).where(api_calls.c.id == delivery.api_call_id)
        db.execute(counted.values(webhook_try=delivery.tries, webhook_sent=int(delivered)))


def release(db: Connection, node: str) -> None:
    """What a node was delivering when it ended is due again."""
    db.execute(update(outbox).where(outbox.c.owner == node, outbox.c.done_at.is_(None)).values(owner=None))


def orphaned(db: Connection) -> list[str]:
    """Nodes that were delivering and are registered no more."""
    owners = select(outbox.c.owner).where(outbox.c.owner.is_not(None), outbox.c.done_at.is_(None))
    return list(db.execute(owners.where(outbox.c.owner.not_in(select(nodes.c.id))).distinct()).scalars())


def census(db: Connection) -> int:
    """How many webhooks are not done."""
    return db.execute(select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))).scalar_one()


def host_of(url: str) -> str:
    """Host and port of a URL, as one word that fits its column."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"[-MAX_HOST:]
