"""The dial queue: how a call is claimed, fenced, finished, and what becomes of a dead node's calls.

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

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from api.store import calls as store_calls
from api.store import lanes, money, pace, windows
from api.store.schema import OVER, CallStatus, api_calls, calls, facts, nodes, stop_list
from api.turns import Lane, picks
from engine.config import TrunkConfig

HORIZON_S = 1.0  # calls are claimed that may start so soon; the fence lets each wait for its slot
_LANES_AT_ONCE = 300


class Claimed(NamedTuple):
    """A call that this node may dial."""

    id: int
    api_call_id: int
    request_id: int
    account_id: int
    phone: str
    outgoing: str
    due_at: float
    price: Decimal  # of a started step
    stopped: bool  # on the stop list by now: not to be called


class Limits(NamedTuple):
    """How many calls at once and a second a trunk takes, and each of its numbers; None: no limit."""

    trunk: str
    numbers: tuple[str, ...]
    calls: int | None = None
    cps: float | None = None
    number_calls: int | None = None
    number_cps: float | None = None

    @classmethod
    def of(cls, trunk: TrunkConfig, numbers: Sequence[str]) -> Limits:
        """Those of a trunk in the configuration."""
        return cls(trunk.name, tuple(numbers), trunk.max_calls, trunk.cps, trunk.number_max_calls, trunk.number_cps)

    def rates(self, numbers: Sequence[str]) -> dict[str, float]:
        """The paces that a call from one of these numbers keeps, by their names in the store."""
        rates = {} if self.cps is None else {f"trunk:{self.trunk}": self.cps}
        return rates if self.number_cps is None else rates | {f"number:{number}": self.number_cps for number in numbers}

    @property
    def late_s(self) -> float:
        """How long after its slot a call may leave. Within a second there are then no more than allowed plus one."""
        return min((0.9 / rate for rate in (self.cps, self.number_cps) if rate is not None), default=math.inf)


class Claim(NamedTuple):
    """What a claim brought; `more`: there may be more at once."""

    calls: list[Claimed]
    more: bool


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


# --- the claim ------------------------------------------------------------------------------------------------


def waiting(db: Connection, numbers: Sequence[str], now: float) -> bool:
    """Whether any call from these numbers is due; reads only."""
    return lanes.is_due(db, numbers, now)


def claim(db: Connection, node: str, limits: Limits, room: int, now: float) -> Claim:
    """Take at most `room` calls that are due on this trunk: accounts in turn, in each the longest due first."""
    if not pace.turn_to_claim(db, limits.trunk):
        return Claim([], more=False)
    room, room_of_number = _room(db, limits, room, now)
    open_numbers = [number for number, left in room_of_number.items() if left > 0]
    if room <= 0 or not open_numbers:
        return Claim([], more=False)
    due = lanes.due(db, open_numbers, now, _LANES_AT_ONCE)
    claimed: list[Claimed] = []
    drained = 0
    for lane, count in picks(due, room, room_of_number).items():
        found = _take(db, lane, count, now)
        claimed += found
        drained += len(found) < count
        # Later within one claim counts as served later, so that who stands last now is first the next time.
        lanes.settle(db, lane, now + len(claimed) * 1e-6 if found else None)
    if claimed:
        mine = update(calls).where(calls.c.id.in_([call.id for call in claimed]))
        db.execute(mine.values(status=CallStatus.PROCESSED, owner=node, trunk=limits.trunk, updated_at=now))
    return Claim(claimed, more=len(claimed) < room and bool(drained) and len(due) > drained)


def _room(db: Connection, limits: Limits, room: int, now: float) -> tuple[int, dict[str, int]]:
    """How many more calls the trunk and each number take: places, and start slots within the horizon."""
    going_on, unfenced = _going_on(db, limits)
    slots = pace.slots(db, limits.rates(limits.numbers), now, HORIZON_S)
    if limits.calls is not None:
        room = min(room, limits.calls - going_on.total())
    if limits.cps is not None:
        room = min(room, slots[f"trunk:{limits.trunk}"] - unfenced.total())
    of_number = {}
    for number in limits.numbers:
        left = room
        if limits.number_calls is not None:
            left = min(left, limits.number_calls - going_on[number])
        if limits.number_cps is not None:
            left = min(left, slots[f"number:{number}"] - unfenced[number])
        of_number[number] = left
    return room, of_number


def _going_on(db: Connection, limits: Limits) -> tuple[Counter[str], Counter[str]]:
    """By number: the calls that have a place on the trunk, and those of them that have no start slot yet."""
    if all(limit is None for limit in limits[2:]):
        return Counter(), Counter()
    counted = (
        select(calls.c.outgoing, calls.c.invited_at.is_(None).label("unfenced"), func.count())
        .where(calls.c.owner.is_not(None), calls.c.trunk == limits.trunk)
        .group_by(calls.c.outgoing, calls.c.invited_at.is_(None))
    )
    going_on, unfenced = Counter[str](), Counter[str]()
    for outgoing, without_slot, count in db.execute(counted):
        going_on[outgoing] += count
        if without_slot:
            unfenced[outgoing] += count
    return going_on, unfenced


def _take(db: Connection, lane: Lane, count: int, now: float) -> list[Claimed]:
    """The lane's calls that are due and may be made now; those whose window has closed wait for its next opening."""
    listed = and_(stop_list.c.account_id == calls.c.account_id, stop_list.c.phone == calls.c.phone)
    due = (
        select(
            calls.c.id, calls.c.api_call_id, calls.c.request_id, calls.c.account_id, calls.c.phone, calls.c.outgoing,
            calls.c.due_at, api_calls.c.price, stop_list.c.id.is_not(None).label("stopped"), calls.c.closes_at,
        )
        .select_from(calls.join(api_calls, api_calls.c.id == calls.c.api_call_id).outerjoin(stop_list, listed))
        .where(
            calls.c.status == CallStatus.CREATED, calls.c.outgoing == lane.outgoing,
            calls.c.account_id == lane.account_id, calls.c.due_at <= now,
        )
        .order_by(calls.c.due_at, calls.c.id)
        .limit(count)
        .with_for_update(skip_locked=True, of=calls)
    )  # fmt: skip
    rows = db.execute(due).all()
    closed = {row.request_id for row in rows if row.closes_at is not None and row.closes_at <= now}
    for request_id in closed:
        windows.reopen(db, request_id, now)
    return _take(db, lane, count, now) if closed else [Claimed(*row[:-1]) for row in rows]


# --- from the fence to the end --------------------------------------------------------------------------------


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


def pressed_stop(db: Connection, call_id: int) -> None:
    """The callee pressed a key that puts them on the stop list."""
    db.execute(update(calls).where(calls.c.id == call_id).values(to_block=1))


def finish(db: Connection, call_id: int, node: str, end: End) -> store_calls.ApiCall | None:
    """The call is over: result, cost and facts; None if it is not this node's any more.

    Its redial and its webhook belong into the same transaction: `api.conclusion` sees to that.
    """
    known: dict[str, Any] = {} if end.answered_at is None else {"answered_at": end.answered_at}
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
    """The calls that a node invited and did not finish."""
    mine = select(calls).where(calls.c.owner == node, calls.c.invited_at.is_not(None), calls.c.finished_at.is_(None))
    return [store_calls.Call(*row) for row in db.execute(mine)]


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
