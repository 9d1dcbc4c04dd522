"""Webhooks that are to be delivered: written with what they tell of, in the same transaction.

Of one api-call's webhooks only the oldest that is not done is ever due: they come in order. `owner` is the node that
delivers it just now; a dead node's are freed, so each comes at least once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, literal_column, select, update

from api.store import wakeup
from api.store.calls import ApiCall
from api.store.schema import accounts, api_calls, nodes, outbox, tries

_CANDIDATES = 1000

AGAIN_AT_ONCE = 10_000  # that are sent again by one request
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
    began_at_try: int  # tries before that one belong to an earlier round; pauses are counted from there
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
    wakeup.notify(db, wakeup.WEBHOOKS)


def waiting(db: Connection, now: float) -> bool:
    """Whether anything is due; reads only."""
    due = select(outbox.c.id).where(outbox.c.done_at.is_(None), outbox.c.owner.is_(None), outbox.c.next_at <= now)
    return db.execute(due.limit(1)).first() is not None


class Room(NamedTuple):
    """How many deliveries may go on at once: in all, to one receiver, for one account."""

    total: int
    per_host: int
    per_account: int


def claim(
    db: Connection, node: str, room: Room, hosts: Mapping[str, int], busy_accounts: Mapping[int, int], now: float
) -> list[Delivery]:
    """Take webhooks that are due, as far as there is room beside those that go on, longest due first.

    `hosts` and `busy_accounts` tell how many go on; so nobody slow takes more than a share.
    """
    older = outbox.alias("older")
    first = ~(
        select(older.c.id)
        .where(older.c.api_call_id == outbox.c.api_call_id, older.c.id < outbox.c.id, older.c.done_at.is_(None))
        .exists()
    )
    order = (outbox.c.next_at, outbox.c.id)
    due = select(
        outbox.c.id, outbox.c.host, outbox.c.account_id, outbox.c.next_at,
        func.row_number().over(partition_by=outbox.c.host, order_by=order).label("of_host"),
        func.row_number().over(partition_by=outbox.c.account_id, order_by=order).label("of_account"),
    ).where(outbox.c.done_at.is_(None), outbox.c.owner.is_(None), outbox.c.next_at <= now, first)  # fmt: skip
    full = [host for host, count in hosts.items() if count >= room.per_host]
    if full:
        due = due.where(outbox.c.host.not_in(full))
    full_accounts = [account for account, count in busy_accounts.items() if count >= room.per_account]
    if full_accounts:
        due = due.where(outbox.c.account_id.not_in(full_accounts))
    near = due.subquery()
    candidates = (
        select(near.c.id, near.c.host, near.c.account_id)
        .where(near.c.of_host <= room.per_host)
        .order_by(near.c.of_account, near.c.next_at, near.c.id)
        .limit(_CANDIDATES)
    )
    chosen: list[int] = []
    by_host, by_account = Counter(hosts), Counter(busy_accounts)
    for row in db.execute(candidates):
        if len(chosen) >= room.total:
            break
        if by_host[row.host] < room.per_host and by_account[row.account_id] < room.per_account:
            chosen.append(row.id)
            by_host[row.host] += 1
            by_account[row.account_id] += 1
    return _own(db, node, chosen)


def _own(db: Connection, node: str, numbers: Sequence[int]) -> list[Delivery]:
    if not numbers:
        return []
    mine = update(outbox).where(and_(outbox.c.id.in_(numbers), outbox.c.owner.is_(None), outbox.c.done_at.is_(None)))
    taken = db.execute(mine.values(owner=node, tries=outbox.c.tries + 1).returning(outbox.c.id)).scalars().all()
    rows = db.execute(
        select(
            outbox.c.id, outbox.c.account_id, outbox.c.api_call_id, outbox.c.kind, outbox.c.url, outbox.c.host,
            outbox.c.headers, outbox.c.body, outbox.c.tries, outbox.c.began_at_try, outbox.c.created_at,
            accounts.c.webhook_secret,
        )
        .join(accounts, accounts.c.id == outbox.c.account_id)
        .where(outbox.c.id.in_(taken))
        .order_by(outbox.c.next_at, outbox.c.id)
    )  # fmt: skip
    return [Delivery(*values) for values in map(tuple, rows)]


@dataclass(frozen=True, slots=True)
class Try:
    """One try: what was sent beside the body, and what came back. `status` None: no answer, `answer` says why."""

    at: float
    took_ms: int
    headers: dict[str, str]
    status: int | None
    answer: str

    @property
    def delivered(self) -> bool:
        """Any 2xx is a delivery."""
        return self.status is not None and 200 <= self.status < 300


def settle(db: Connection, delivery: Delivery, node: str, tried: Try, again_at: float | None, now: float) -> None:
    """A try is over: it arrived, or it is tried again at `again_at` (None: given up). It is kept."""
    mine = update(outbox).where(outbox.c.id == delivery.id, outbox.c.owner == node)
    done = None if again_at is not None and not tried.delivered else now
    settled = db.execute(mine.values(owner=None, done_at=done, delivered=tried.delivered, next_at=again_at or now))
    row = {
        "outbox_id": delivery.id, "number": delivery.tries, "at": tried.at, "took_ms": tried.took_ms,
        "headers": tried.headers, "status": tried.status, "answer": tried.answer,
    }  # fmt: skip
    db.execute(insert(tries).values(row))
    if settled.rowcount and delivery.kind == "end":
        counted = update(api_calls).where(api_calls.c.id == delivery.api_call_id)
        db.execute(counted.values(webhook_try=delivery.tries, webhook_sent=int(tried.delivered)))


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook and its tries, for those who look at what happened."""

    id: int
    api_call_id: int
    kind: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any]
    tries: int
    next_at: float
    done_at: float | None
    delivered: bool
    created_at: float
    kept: list[tuple[int, Try]]  # number of the try, the try

    @property
    def state(self) -> str:
        """waiting, delivered or failed."""
        if self.done_at is None:
            return "waiting"
        return "delivered" if self.delivered else "failed"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which webhooks are looked at; what is empty lets all pass."""

    failed_only: bool = False
    host: str = ""
    api_call_id: int | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """The conditions; indexes stand behind each of them."""
        found: list[ColumnElement[bool]] = []
        if self.failed_only:
            found += _failed()
        if self.host:
            # Failed ones are few, those of a host may be all: `|| ''` keeps SQLite from choosing the host's index.
            found.append((outbox.c.host + "" if self.failed_only else outbox.c.host) == self.host)
        if self.api_call_id is not None:
            found.append(outbox.c.api_call_id == self.api_call_id)
        return found


def _failed() -> list[ColumnElement[bool]]:
    # As the index `ix_outbox_failed` has it, word for word: SQLite proves nothing about parameters.
    return [outbox.c.delivered.is_(False), outbox.c.tries > literal_column("0")]


def page(db: Connection, account_id: int, which: Filter, before: int | None, most: int) -> list[Webhook]:
    """The account's webhooks older than number `before`, newest first, each with its last try only."""
    mine = _shown().where(outbox.c.account_id == account_id, *which.where())
    if before is not None:
        mine = mine.where(outbox.c.id < before)
    found = {
        row.id: Webhook(**row._mapping, kept=[]) for row in db.execute(mine.order_by(outbox.c.id.desc()).limit(most))
    }
    last = select(tries.c.outbox_id, func.max(tries.c.number).label("number")).where(tries.c.outbox_id.in_(found))
    of_each = last.group_by(tries.c.outbox_id).subquery()
    join = and_(tries.c.outbox_id == of_each.c.outbox_id, tries.c.number == of_each.c.number)
    for row in db.execute(select(tries).join(of_each, join)):
        found[row.outbox_id].kept[:] = [(row.number, Try(row.at, row.took_ms, row.headers, row.status, row.answer))]
    return list(found.values())


def one(db: Connection, account_id: int, number: int) -> Webhook | None:
    """A webhook of the account with all its tries."""
    found = webhooks(db, account_id, numbers=[number], api_call_ids=None, failed_only=False, since=0, most=1)
    return found[0] if found else None


def hosts(db: Connection, account_id: int, most: int) -> list[str]:
    """The first receivers of the account, by name; as many look-ups in the index as there are names."""
    found: list[str] = []
    while len(found) < most:
        next_one = select(func.min(outbox.c.host)).where(outbox.c.account_id == account_id)
        if found:
            next_one = next_one.where(outbox.c.host > found[-1])
        host = db.execute(next_one).scalar_one()
        if host is None:
            break
        found.append(host)
    return found


def count_failed(db: Connection, account_id: int, since: float, most: int) -> int:
    """How many `send_again(failed_since=...)` would take; counted up to `most`."""
    mine = select(outbox.c.id).where(
        outbox.c.account_id == account_id, outbox.c.owner.is_(None), outbox.c.created_at >= since, *_failed()
    )
    return db.execute(select(func.count()).select_from(mine.limit(most).subquery())).scalar_one()


def _shown() -> Select[Any]:
    return select(
        outbox.c.id, outbox.c.api_call_id, outbox.c.kind, outbox.c.url, outbox.c.headers, outbox.c.body, outbox.c.tries,
        outbox.c.next_at, outbox.c.done_at, outbox.c.delivered, outbox.c.created_at,
    )  # fmt: skip


def _webhooks_of(db: Connection, wanted: Select[Any]) -> dict[int, Webhook]:
    return {row.id: Webhook(**row._mapping, kept=[]) for row in db.execute(wanted)}


def webhooks(
    db: Connection, account_id: int, *, numbers: Collection[int] | None, api_call_ids: Collection[int] | None,
    failed_only: bool, since: float, most: int,
) -> list[Webhook]:  # fmt: skip
    """The account's webhooks with their tries, newest first."""
    mine = _shown().where(outbox.c.account_id == account_id, outbox.c.created_at >= since)
    if numbers is not None:
        mine = mine.where(outbox.c.id.in_(numbers))
    if api_call_ids is not None:
        mine = mine.where(outbox.c.api_call_id.in_(api_call_ids))
    if failed_only:
        mine = mine.where(*_failed())
    found = {
        row.id: Webhook(**row._mapping, kept=[]) for row in db.execute(mine.order_by(outbox.c.id.desc()).limit(most))
    }
    of_them = select(tries).where(tries.c.outbox_id.in_(found)).order_by(tries.c.outbox_id, tries.c.number)
    for row in db.execute(of_them):
        told = Try(row.at, row.took_ms, row.headers, row.status, row.answer)
        found[row.outbox_id].kept.append((row.number, told))
    return list(found.values())


def send_again(
    db: Connection, account_id: int, now: float, *, numbers: Collection[int] | None, failed_since: float | None
) -> list[int]:
    """Make webhooks of the account due again: these, whatever became of them, or all that failed since a time.

    Of all that failed the oldest `AGAIN_AT_ONCE`: a click must not hold the tables for minutes. One that waits for its
    next try is due at once. The pauses begin anew.
    """
    mine = update(outbox).where(outbox.c.account_id == account_id, outbox.c.owner.is_(None))
    if numbers is not None:
        mine = mine.where(outbox.c.id.in_(numbers))
    if failed_since is not None:
        failed = select(outbox.c.id).where(
            outbox.c.account_id == account_id, outbox.c.owner.is_(None), outbox.c.created_at >= failed_since, *_failed()
        )
        mine = mine.where(outbox.c.id.in_(failed.order_by(outbox.c.id).limit(AGAIN_AT_ONCE)))
    changed = mine.values(done_at=None, delivered=False, next_at=now, began_at_try=outbox.c.tries)
    wakeup.notify(db, wakeup.WEBHOOKS)
    return sorted(db.execute(changed.returning(outbox.c.id)).scalars())


def release(db: Connection, node: str, keep: Sequence[int] = ()) -> None:
    """What a node was delivering when it ended is due again, but what it keeps."""
    mine = update(outbox).where(outbox.c.owner == node, outbox.c.done_at.is_(None), outbox.c.id.not_in(keep))
    db.execute(mine.values(owner=None))


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
