"""Which calls of the dial queue are next, and how a node takes them: accounts in turn, within the trunk's limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select, update

from api.store import lanes, pace, windows
from api.store.schema import CallStatus, api_calls, calls, stop_list
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
