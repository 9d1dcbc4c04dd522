"""The tables against RFC 3261 figures 5 to 8 (as RFC 6026 has them): timers, their doubling, what is absorbed."""

from __future__ import annotations

import pytest

from engine.sip.message import Message
from engine.sip.transaction import (
    FIRED,
    INITIAL,
    LIVES,
    QUIET,
    TABLES,
    Do,
    Input,
    Kind,
    SetTimer,
    State,
    StopTimer,
    Tell,
    Timer,
    Transaction,
    Transmit,
)

REQUEST = Message("INVITE", "sip:a", 0, "", (), b"", "c", 1, "f", "")


def begun(kind: Kind) -> Transaction:
    transaction = Transaction(kind, "k", REQUEST, ("h", 1))
    transaction.data = b"data"
    transaction.feed(Input.START, 0.0)
    return transaction


def fired_at(transaction: Transaction, timer: Timer, times: int) -> list[float]:
    """When a timer that is set again by its own firing fires, from 0."""
    at, moments = timer.seconds, []
    for _ in range(times):
        moments.append(at)
        outputs = transaction.feed(FIRED[timer], at)
        assert Transmit(b"data", ("h", 1)) in outputs
        at = next(output.at for output in outputs if isinstance(output, SetTimer))
    return moments


def test_an_invite_doubles_without_a_cap():
    transaction = begun(Kind.CLIENT_INVITE)
    assert fired_at(transaction, Timer.A, 6) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert transaction.feed(Input.TIMER_B, 32.0)[-1] == Tell(timeout=True)
    assert transaction.terminated


def test_another_request_doubles_up_to_t2():
    transaction = begun(Kind.CLIENT)
    assert fired_at(transaction, Timer.E, 6) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5]


def test_a_provisional_slows_another_request_to_t2():
    transaction = begun(Kind.CLIENT)
    transaction.feed(Input.PROVISIONAL, 0.1)
    assert transaction.timers == 2
    assert SetTimer(Timer.E, 4.5) in transaction.feed(Input.TIMER_E, 0.5)


def test_a_failure_of_ours_doubles_up_to_t2_until_its_ack():
    transaction = begun(Kind.SERVER_INVITE)
    transaction.feed(Input.FAILURE, 0.0)
    assert fired_at(transaction, Timer.G, 5) == [0.5, 1.5, 3.5, 7.5, 11.5]
    outputs = transaction.feed(Input.ACK, 12.0)
    assert {type(output) for output in outputs} == {StopTimer, SetTimer}
    assert (transaction.state, transaction.timers) == (State.CONFIRMED, 1)


def test_repeated_failures_of_an_invite_are_acknowledged_and_told_once():
    transaction = begun(Kind.CLIENT_INVITE)
    assert Tell(timeout=False) in transaction.feed(Input.FAILURE, 0.1, b"ack")
    assert transaction.feed(Input.FAILURE, 0.2, b"ack") == [Transmit(b"ack", ("h", 1))]


def test_an_abandoned_invite_is_not_sent_again_but_heard():
    transaction = begun(Kind.CLIENT_INVITE)
    assert StopTimer(Timer.A) in transaction.feed(Input.ABANDON, 0.1)
    assert transaction.quiet
    assert transaction.timers == 1
    assert transaction.feed(Input.SUCCESS, 3.0)[-1] == Tell(timeout=False)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_tables_are_whole(kind):
    table = TABLES[kind]
    reached = {INITIAL[kind]} | {following for _, following in table.values()}
    assert {state for state, _ in table} == reached - {State.TERMINATED}  # each state is left again
    for (state, what), (doing, following) in table.items():
        timers = {action for action in doing if isinstance(action, Timer)}
        assert timers <= LIVES.get((kind, following), frozenset()), (state, what)
        if what in FIRED.values():  # only a timer that may run there fires
            assert {FIRED[timer] for timer in LIVES[kind, state]} >= {what}
    for state in reached:
        for timer in LIVES.get((kind, state), ()):  # and each that may run is heard
            assert (state, FIRED[timer]) in table


@pytest.mark.parametrize("kind", list(Kind))
def test_a_quiet_state_ends_by_itself_and_sends_nothing_unasked(kind):
    for state in {state for one, state in QUIET if one is kind} - {State.TERMINATED}:
        if (kind, state) not in LIVES:
            pytest.fail(f"{state} would never end")
        for timer in LIVES[kind, state]:
            doing, following = TABLES[kind][state, FIRED[timer]]
            assert following is State.TERMINATED
            assert Do.SEND not in doing
