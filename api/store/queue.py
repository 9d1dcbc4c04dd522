"""The dial queue: how a claimed call is fenced and finished, and what becomes of a dead node's calls.

    created --claim--> processed --fence--> started --progress--> answered
       ^                  |                    |                     |
       +---- requeue -----+                    +------- finish ------+--> finished or canceled

Rules: a call belongs to one node at a time; the fence sets `invited_at` where it was empty, or nobody is called; only
the node that passed it, and then called nobody after all, takes that back (requeue). A call is finished in one
transaction with its cost, its facts, its redial and its webhook; what was invited is never dialled again by itself: a
node that died in it leaves it `interrupted`. A call that has an owner takes a place on its trunk and number, so the
place is free in the transaction in which the call ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from api.store import calls as store_calls
from api.store import lanes, money, pace, recordings
from api.store.claims import Claimed, Limits
from api.store.recordings import NewRecording
from api.store.schema import OVER, CallStatus, calls, facts, nodes


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
    manager: Mapping[str, Any] | None = None  # to, started_at, answered_at, status: of the one who was called
    recording: NewRecording | None = None
    cost: Decimal = Decimal(0)
    facts: Sequence[Mapping[str, Any]] = field(default=())


def reserve(db: Connection, claimed: Claimed, node: str, most: Decimal) -> Decimal | None:
    """Hold for a call what it can cost at most, or as much of it as the account has free; what is held then.

    None: the call is not this node's any more.
    """
    mine = and_(calls.c.id == claimed.id, calls.c.owner == node, calls.c.invited_at.is_(None))
    held = db.execute(select(calls.c.held).where(mine).with_for_update()).scalar_one_or_none()
    if held is None or most <= held:
        return held
    more = min(most - held, money.free(db, claimed.account_id))
    if more > 0:
        money.hold(db, claimed.account_id, more)
        db.execute(update(calls).where(calls.c.id == claimed.id).values(held=held + more))
    return Decimal(held + max(more, Decimal(0)))


def fence(db: Connection, claimed: Claimed, node: str, limits: Limits, now: float) -> float | None:
    """The last thing before the INVITE: when it may leave, for exactly one node, once; None: nobody is to be called."""
    mine = and_(calls.c.id == claimed.id, calls.c.owner == node, calls.c.invited_at.is_(None))
    if db.execute(select(calls.c.id).where(mine)).first() is None:
        return None
    with db.begin_nested() as attempt:
        at = pace.take_slot(db, limits.rates([claimed.outgoing]), now)
        changed = {"invited_at": at, "started_at": at, "status": CallStatus.STARTED, "updated_at": now}
        if db.execute(update(calls).where(mine).values(changed)).rowcount != 1:
            attempt.rollback()  # the slot stays free
            return None
    return at


def postpone(db: Connection, claimed: Claimed, node: str, limits: Limits, now: float) -> float | None:
    """A call has passed the fence, and came too late for its slot: when the next one is; None: it is not ours."""
    mine = and_(calls.c.id == claimed.id, calls.c.owner == node, calls.c.finished_at.is_(None))
    if db.execute(select(calls.c.id).where(mine)).first() is None:
        return None
    at = pace.take_slot(db, limits.rates([claimed.outgoing]), now)
    moved = update(calls).where(mine).values(invited_at=at, started_at=at)
    return at if db.execute(moved).rowcount == 1 else None


def answered(db: Connection, call_id: int, node: str, at: float) -> None:
    """The callee has answered."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    db.execute(mine.values(answered_at=at, status=CallStatus.ANSWERED, updated_at=at))


def passed(db: Connection, call_id: int, node: str, path: Sequence[str], answers: Sequence[str], at: float) -> bool:
    """The call has come so far in its menu; false if it is not this node's any more."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    return db.execute(mine.values(path=list(path), answers=list(answers), updated_at=at)).rowcount == 1


def manager_called(db: Connection, call_id: int, node: str, to: str, at: float) -> None:
    """A manager is being called."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    db.execute(mine.values(manager=to, manager_started_at=at, updated_at=at))


def manager_answered(db: Connection, call_id: int, node: str, at: float) -> None:
    """The manager talks to the callee."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    db.execute(mine.values(manager_answered_at=at, updated_at=at))


def pressed_stop(db: Connection, call_id: int) -> None:
    """The callee pressed a key that puts them on the stop list."""
    db.execute(update(calls).where(calls.c.id == call_id).values(to_block=1))


def finish(db: Connection, call_id: int, node: str, end: End) -> store_calls.ApiCall | None:
    """The call is over: result, cost and facts; None if it is not this node's any more.

    Its redial and its webhook belong into the same transaction: `api.conclusion` sees to that.
    """
    known: dict[str, Any] = {} if end.answered_at is None else {"answered_at": end.answered_at}
    if end.manager is not None:
        known |= {"manager": end.manager["to"]}
        known |= {f"manager_{key}": end.manager[key] for key in ("started_at", "answered_at", "status")}
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.status.not_in(OVER))
    row = db.execute(
        mine.values(
            status=CallStatus.FINISHED if end.answered else CallStatus.CANCELED,
            owner=None, finished_at=end.at, updated_at=end.at, disposition=end.disposition, sip_code=end.sip_code,
            hangup_cause=end.hangup_cause, heard_ms=end.heard_ms, answers=list(end.answers), path=list(end.path),
            tags=list(end.tags), cost=end.cost, **known,
        ).returning(calls.c.api_call_id, calls.c.account_id, calls.c.held)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    money.release(db, row.account_id, row.held)
    money.charge_call(db, row.account_id, end.cost, call_id, end.at)
    if end.recording is not None:
        recordings.add(db, call_id, end.recording, end.at)
    if end.facts:
        rows = [{"call_id": call_id, "seq": fact["seq"], "body": dict(fact)} for fact in end.facts]
        db.execute(insert(facts), rows)
    return store_calls.one(db, row.account_id, row.api_call_id)


def facts_told(db: Connection, api_call_id: int) -> int:
    """How many facts of earlier dialings of this api-call are kept; those of the next one are counted on from there."""
    of_call = select(func.count()).select_from(facts.join(calls, calls.c.id == facts.c.call_id))
    return db.execute(of_call.where(calls.c.api_call_id == api_call_id)).scalar_one()


def requeue(db: Connection, call_id: int, node: str, due_at: float) -> None:
    """A call that its node has not dialled, whether it passed the fence or not, is due again then."""
    mine = update(calls).where(calls.c.id == call_id, calls.c.owner == node, calls.c.finished_at.is_(None))
    waits = {"owner": None, "status": CallStatus.CREATED, "invited_at": None, "started_at": None, "due_at": due_at}
    _back(db, mine.values(waits), due_at)


def release(db: Connection, node: str, now: float, keep: Sequence[int] = ()) -> None:
    """What the node claimed and never invited goes back into the queue, but the calls that it keeps."""
    mine = update(calls).where(
        calls.c.owner == node, calls.c.invited_at.is_(None), calls.c.finished_at.is_(None), calls.c.id.not_in(keep)
    )
    _back(db, mine.values(owner=None, status=CallStatus.CREATED, updated_at=now), now)


def _back(db: Connection, statement: Any, now: float) -> None:
    rows = db.execute(statement.returning(calls.c.account_id, calls.c.outgoing, calls.c.due_at)).all()
    for account_id in sorted({row.account_id for row in rows}):
        first: dict[str, float] = {}
        for row in rows:
            if row.account_id == account_id:
                first[row.outgoing] = min(row.due_at, first.get(row.outgoing, row.due_at))
        lanes.bring_forward(db, account_id, first, now)


# --- what dead nodes leave, and counts ------------------------------------------------------------------------


def cut_off(db: Connection, node: str) -> list[store_calls.Call]:
    """The calls that a node invited and did not finish, by account."""
    mine = select(calls).where(calls.c.owner == node, calls.c.invited_at.is_not(None), calls.c.finished_at.is_(None))
    return [store_calls.Call(*row) for row in db.execute(mine.order_by(calls.c.account_id, calls.c.id))]


def orphaned(db: Connection) -> list[str]:
    """Nodes that own calls and are registered no more."""
    owners = select(calls.c.owner).where(calls.c.owner.is_not(None), calls.c.finished_at.is_(None))
    return list(db.execute(owners.where(calls.c.owner.not_in(select(nodes.c.id))).distinct()).scalars())


def census(db: Connection, now: float) -> dict[str, int]:
    """How many calls wait: those that are due, and those that are planned for later."""
    told = waits(db, now)
    due = told.pop("turn", 0)
    return {"due": due, "planned": sum(told.values())}


def waits(db: Connection, now: float) -> dict[str, int]:
    """How many calls wait, by what they wait for: turn (they are due), plan, window, redial."""
    due = or_(calls.c.due_at <= now, calls.c.waits_for == "")
    counted = (
        select(calls.c.waits_for, due.label("due"), func.count())
        .where(calls.c.status == CallStatus.CREATED)
        .group_by(calls.c.waits_for, due)
    )
    told = Counter[str]()
    for reason, is_due, count in db.execute(counted):
        told["turn" if is_due else reason] += count
    return dict(told)


def strays(db: Connection, numbers: Sequence[str]) -> list[str]:
    """The outgoing numbers that calls wait for and that are not among these."""
    asked = select(calls.c.outgoing).where(calls.c.status == CallStatus.CREATED, calls.c.outgoing.not_in(numbers))
    return sorted(db.execute(asked.distinct()).scalars())
