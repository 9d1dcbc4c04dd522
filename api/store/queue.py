"""The dial queue: how a call is claimed, fenced, finished, and what becomes of a dead node's calls.

    created --claim--> processed --fence--> started --progress--> answered
       ^                  |                    |                     |
       +---- requeue -----+                    +------- finish ------+--> finished or canceled

Rules: a call belongs to one node at a time; the fence sets `invited_at` where it was empty, or nobody is called; a
call is finished in one transaction with its cost, its facts and its webhook; what was invited is never dialled again
by itself: a node that died in it leaves it `interrupted`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.store import accounts
from api.store import calls as store_calls
from api.store.schema import OVER, CallStatus, api_calls, calls, facts, nodes, stop_list


class Claimed(NamedTuple):
    """A call that this node may dial."""

    id: int
    api_call_id: int
    request_id: int
    account_id: int
    phone: str
    outgoing: str
    stopped: bool  # on the stop list by now: not to be called


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended. Times are Unix seconds; None leaves what is known."""

    disposition: str
    answered: bool
    at: float
    sip_code: int | None = None
    hangup_cause: int | None = None
    heard_ms: int = 0
    answered_at: float | None = None
    answers: Sequence[str] = ()
    path: Sequence[str] = ()
    tags: Sequence[str] = ()
    cost: Decimal = Decimal(0)
    facts: Sequence[Mapping[str, Any]] = field(default=())


def waiting(db: Connection, numbers: Sequence[str], now: float) -> bool:
    """Whether any call from these numbers is due; reads only."""
    return db.execute(select(calls.c.id).where(_due(numbers, now)).limit(1)).first() is not None


def claim(db: Connection, node: str, numbers: Sequence[str], room: int, now: float) -> list[Claimed]:
    """Take at most `room` calls that are due and go out from one of these numbers, longest due first."""
    listed = and_(stop_list.c.account_id == calls.c.account_id, stop_list.c.phone == calls.c.phone)
    due = (
        select(
            calls.c.id, calls.c.api_call_id, api_calls.c.request_id, calls.c.account_id, calls.c.phone,
            calls.c.outgoing,
            stop_list.c.id.is_not(None).label("stopped"),
        )
        .select_from(calls.join(api_calls).outerjoin(stop_list, listed))
        .where(_due(numbers, now))
        .order_by(calls.c.due_at, calls.c.id)
        .limit(room)
        .with_for_update(skip_locked=True, of=calls)
    )  # fmt: skip
    claimed = [Claimed(*row) for row in db.execute(due)]
    if claimed:
        mine = update(calls).where(calls.c.id.in_([call.id for call in claimed]))
        db.execute(mine.values(status=CallStatus.PROCESSED, owner=node, updated_at=now))
    return claimed


def fence(db: Connection, call_id: int, node: str, now: float) -> bool:
    """The last thing before the INVITE: true for exactly one node, once."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.invited_at.is_(None))
    started = mine.values(invited_at=now, started_at=now, status=CallStatus.STARTED, updated_at=now)
    return db.execute(started).rowcount == 1


def answered(db: Connection, call_id: int, node: str, at: float) -> None:
    """The callee has answered."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    db.execute(mine.values(answered_at=at, status=CallStatus.ANSWERED, updated_at=at))


def passed(db: Connection, call_id: int, node: str, path: Sequence[str], answers: Sequence[str], at: float) -> bool:
    """The call has come so far in its menu; false if it is not this node's any more."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    return db.execute(mine.values(path=list(path), answers=list(answers), updated_at=at)).rowcount == 1


def stop_calling(db: Connection, call_id: int, account_id: int, phone: str, now: float) -> None:
    """The callee pressed a key that puts them on the stop list."""
    db.execute(update(calls).where(calls.c.id == call_id).values(to_block=1))
    row = {"account_id": account_id, "phone": phone, "comment": "", "created_at": now}
    with suppress(IntegrityError), db.begin_nested():  # it may be there already, or come at the same moment
        db.execute(insert(stop_list).values(row))


def finish(db: Connection, call_id: int, node: str, end: End) -> store_calls.ApiCall | None:
    """The call is over: result, cost and facts; None if it is not this node's any more.

    Its webhook belongs into the same transaction: `api.conclusion` sees to that.
    """
    known: dict[str, Any] = {} if end.answered_at is None else {"answered_at": end.answered_at}
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.status.not_in(OVER))
    changed = db.execute(
        mine.values(
            status=CallStatus.FINISHED if end.answered else CallStatus.CANCELED,
            owner=None, finished_at=end.at, updated_at=end.at, disposition=end.disposition, sip_code=end.sip_code,
            hangup_cause=end.hangup_cause, heard_ms=end.heard_ms, answers=list(end.answers), path=list(end.path),
            tags=list(end.tags), cost=end.cost, **known,
        )
    )  # fmt: skip
    if changed.rowcount != 1:
        return None
    row = db.execute(select(calls.c.api_call_id, calls.c.account_id).where(calls.c.id == call_id)).one()
    accounts.charge(db, row.account_id, end.cost)
    if end.facts:
        rows = [{"call_id": call_id, "seq": fact["seq"], "body": dict(fact)} for fact in end.facts]
        db.execute(insert(facts), rows)
    return store_calls.one(db, row.account_id, row.api_call_id)


def requeue(db: Connection, call_id: int, node: str, due_at: float) -> None:
    """A call that could not be dialled just now is due again later."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.invited_at.is_(None))
    db.execute(mine.values(owner=None, status=CallStatus.CREATED, due_at=due_at))


def release(db: Connection, node: str, now: float) -> None:
    """What the node claimed and never invited goes back into the queue."""
    mine = update(calls).where(calls.c.owner == node, calls.c.invited_at.is_(None), calls.c.finished_at.is_(None))
    db.execute(mine.values(owner=None, status=CallStatus.CREATED, updated_at=now))


def cut_off(db: Connection, node: str) -> list[store_calls.Call]:
    """The calls that a node invited and did not finish."""
    mine = select(calls).where(calls.c.owner == node, calls.c.invited_at.is_not(None), calls.c.finished_at.is_(None))
    return [store_calls.Call(*row) for row in db.execute(mine)]


def orphaned(db: Connection) -> list[str]:
    """Nodes that own calls and are registered no more."""
    owners = select(calls.c.owner).where(calls.c.owner.is_not(None), calls.c.finished_at.is_(None))
    return list(db.execute(owners.where(calls.c.owner.not_in(select(nodes.c.id))).distinct()).scalars())


def census(db: Connection, now: float) -> dict[str, int]:
    """How many calls wait: those that are due, and those that are planned for later."""
    created = select(func.count()).select_from(calls).where(calls.c.status == CallStatus.CREATED)
    return {
        "due": db.execute(created.where(calls.c.due_at <= now)).scalar_one(),
        "planned": db.execute(created.where(calls.c.due_at > now)).scalar_one(),
    }


def strays(db: Connection, numbers: Sequence[str]) -> list[str]:
    """The outgoing numbers that calls wait for and that are not among these."""
    asked = select(calls.c.outgoing).where(calls.c.status == CallStatus.CREATED, calls.c.outgoing.not_in(numbers))
    return sorted(db.execute(asked.distinct()).scalars())


def _due(numbers: Sequence[str], now: float) -> Any:
    return and_(
        calls.c.status == CallStatus.CREATED,
        calls.c.outgoing.in_(numbers),
        calls.c.due_at <= now,
    )
