"""What must be true of a store at any moment, and what more when nothing goes on: read from the tables alone.

    assert not bookkeeping.faults(url)              # whatever runs just now
    assert not bookkeeping.faults(url, over=True)   # all calls are over, all webhooks are done

Each fault is one line that names the row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, select

from api.store.schema import OVER, CallStatus, accounts, api_calls, calls, facts, lanes, ledger, nodes, outbox, requests

GOING_ON = (CallStatus.PROCESSED, CallStatus.STARTED, CallStatus.ANSWERED)


def faults(url: str, *, over: bool = False, now: float = float("inf")) -> list[str]:
    """What is wrong in the store, in one state of it; `now` bounds which waiting calls count as due when `over`."""
    chosen = make_url(url)
    if chosen.get_backend_name() == "postgresql":
        chosen = chosen.set(drivername="postgresql+psycopg")
        engine = create_engine(chosen, isolation_level="REPEATABLE READ")
    else:
        engine = create_engine(chosen, connect_args={"timeout": 60})
    checks: list[Callable[[Connection], Iterator[str]]] = [_money, _costs, _states, _dialings, _told, _lanes, _webhooks]
    try:
        with engine.connect() as db:
            db.exec_driver_sql("BEGIN" if engine.dialect.name == "sqlite" else "SELECT 1")
            found = [fault for check in checks for fault in check(db)]
            return found + (list(_open(db, now)) if over else [])
    finally:
        engine.dispose()


def _money(db: Connection) -> Iterator[str]:
    lines: dict[int, Decimal] = defaultdict(Decimal)
    for line in db.execute(select(ledger).order_by(ledger.c.id)):
        lines[line.account_id] += line.amount
        if lines[line.account_id] != line.balance:
            yield f"ledger {line.id}: says {line.balance}, the lines before it add up to {lines[line.account_id]}"
    held: dict[int, Decimal] = defaultdict(Decimal)
    for row in db.execute(select(calls.c.account_id, calls.c.held).where(calls.c.finished_at.is_(None))):
        held[row.account_id] += row.held
    for account in db.execute(select(accounts)):
        if account.balance != lines[account.id]:
            yield f"account {account.id}: balance {account.balance}, its ledger adds up to {lines[account.id]}"
        if account.held != held[account.id]:
            yield f"account {account.id}: holds {account.held}, its calls hold {held[account.id]}"
        if account.balance - account.held < 0:
            yield f"account {account.id}: {account.balance} is there, {account.held} is held"


def _costs(db: Connection) -> Iterator[str]:
    paid: dict[int, list[Decimal]] = defaultdict(list)
    for line in db.execute(select(ledger.c.call_id, ledger.c.amount).where(ledger.c.kind == "call")):
        paid[line.call_id].append(-line.amount)
    for call in db.execute(select(calls)):
        if paid.pop(call.id, []) != ([call.cost] if call.cost else []):
            yield f"call {call.id}: costs {call.cost}, and that is not what the ledger says once"
    yield from (f"ledger: call {number} does not exist" for number in paid)


def _states(db: Connection) -> Iterator[str]:
    for call in db.execute(select(calls)):
        is_over, status = call.status in OVER, call.status
        if is_over != (call.finished_at is not None) or is_over != (call.disposition is not None):
            yield f"call {call.id}: {status}, finished at {call.finished_at}, {call.disposition}"
        if (call.owner is not None) != (status in GOING_ON):
            yield f"call {call.id}: {status}, owner {call.owner}"
        if status in (CallStatus.CREATED, CallStatus.PROCESSED) and call.invited_at is not None:
            yield f"call {call.id}: {status}, but invited at {call.invited_at}"
        if status in (CallStatus.STARTED, CallStatus.ANSWERED, CallStatus.FINISHED) and call.invited_at is None:
            yield f"call {call.id}: {status}, but never invited"
        if call.cost and call.answered_at is None:
            yield f"call {call.id}: costs {call.cost}, but was not answered"


def _dialings(db: Connection) -> Iterator[str]:
    """Of an api-call's dialings only the last may be open, and there is at least one."""
    open_ones: Counter[int] = Counter()
    last: dict[int, bool] = {}
    for call in db.execute(select(calls.c.api_call_id, calls.c.finished_at).order_by(calls.c.id)):
        last[call.api_call_id] = call.finished_at is None
        open_ones[call.api_call_id] += last[call.api_call_id]
    for number in db.execute(select(api_calls.c.id)).scalars():
        if number not in last or open_ones[number] > last[number]:
            yield f"api-call {number}: {open_ones[number]} open dialings"


def _told(db: Connection) -> Iterator[str]:
    """Facts are numbered without a gap over all dialings; one that is over ends with `ended`, once."""
    of_api_call = {row.id: row.api_call_id for row in db.execute(select(calls.c.id, calls.c.api_call_id))}
    told: dict[int, list[str]] = defaultdict(list)
    numbers: dict[int, list[int]] = defaultdict(list)
    for fact in db.execute(select(facts).order_by(facts.c.call_id, facts.c.seq)):
        told[fact.call_id].append(fact.body["type"])
        numbers[of_api_call[fact.call_id]].append(fact.seq)
    for number, seqs in numbers.items():
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"api-call {number}: facts {seqs}"
    for call in db.execute(select(calls).where(calls.c.finished_at.is_not(None))):
        kinds = told.pop(call.id, [])
        if not _removed(call) and (kinds.count("ended") != 1 or kinds[-1] != "ended"):
            yield f"call {call.id}: {call.disposition}, facts {kinds}"
    yield from (f"call {number}: not over, but facts {kinds}" for number, kinds in told.items())


def _lanes(db: Connection) -> Iterator[str]:
    """No lane's next call is later than its first call that waits."""
    known = {(row.outgoing, row.account_id): row.next_due for row in db.execute(select(lanes))}
    waiting = select(calls).where(calls.c.status == CallStatus.CREATED)
    for call in db.execute(waiting):
        next_due = known.get((call.outgoing, call.account_id))
        if next_due is None or next_due > call.due_at:
            yield f"call {call.id}: due at {call.due_at}, its lane at {next_due}"


def _webhooks(db: Connection) -> Iterator[str]:
    """Who asked for it is told of the end once; what is done was done in order."""
    ends: Counter[int] = Counter()
    undone: set[int] = set()
    for row in db.execute(select(outbox).order_by(outbox.c.id)):
        ends[row.api_call_id] += row.kind == "end"
        if row.done_at is None:
            undone.add(row.api_call_id)
        elif row.api_call_id in undone:
            yield f"webhook {row.id}: done before an older one of api-call {row.api_call_id}"
        if row.kind == "block" and ends[row.api_call_id]:
            yield f"webhook {row.id}: of a block, after the end of api-call {row.api_call_id}"
        if row.done_at is not None and row.owner is not None:
            yield f"webhook {row.id}: done, but {row.owner} delivers it"
    asked = {row.id for row in db.execute(select(requests)) if row.options["webhookUrl"]}
    last: dict[int, tuple[bool, bool]] = {}
    for call in db.execute(select(calls).order_by(calls.c.id)):
        told = call.request_id in asked and not _removed(call)
        last[call.api_call_id] = (call.finished_at is not None, told)
    for number, (is_over, told) in last.items():
        if ends[number] != int(is_over and told):
            yield f"api-call {number}: over {is_over}, its end is told {ends[number]} times"


def _removed(call: Any) -> bool:
    """The customer cancelled it before anybody was called. A node in trouble cancels calls too, while they ring."""
    return bool(call.disposition == "cancelled" and call.invited_at is None)


def _open(db: Connection, now: float) -> Iterator[str]:
    """What must not be there when nothing goes on."""
    for call in db.execute(select(calls).where(calls.c.finished_at.is_(None))):
        if call.owner is not None or call.due_at <= now:
            yield f"call {call.id}: {call.status}, due at {call.due_at}, owner {call.owner}"
    living = set(db.execute(select(nodes.c.id)).scalars())
    for webhook in db.execute(select(outbox).where(outbox.c.done_at.is_(None))):
        known = "living" if webhook.owner in living else "dead"
        yield f"webhook {webhook.id}: not done after {webhook.tries} tries, owner {webhook.owner} ({known})"
