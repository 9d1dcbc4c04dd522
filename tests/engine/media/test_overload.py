"""Who is to blame for a late turn, and when calls are given up."""

from __future__ import annotations

import pytest

from engine.media.overload import REFUSE_LOAD, SHARES, SUSTAINED_TURNS, Cause, Overload, Work
from engine.media.pacer import TURN_S


def run(overload, turns, *, worked_s, behind_s=0.0):
    for turn in range(turns):
        due = turn * TURN_S
        overload.turn(due, behind_s, TURN_S, Work(worked_s, 100, 0.0, worked_s, due + behind_s), lambda: False)


@pytest.mark.parametrize(
    ("work", "stolen", "cause"),
    [
        (Work(0.012, 100, 0.0, 0.012, 100.011), False, Cause.OWN_WORK),
        (Work(0.012, 100, 0.0, 0.002, 100.011), False, Cause.SCHEDULER),  # it took long because it stood still
        (Work(0.012, 100, 0.0, 0.002, 100.011), True, Cause.STEAL),
        (Work(0.001, 100, 0.0, 0.001, 99.99), False, Cause.SCHEDULER),  # it was not woken
        (Work(0.001, 100, 0.0, 0.001, 99.99), True, Cause.STEAL),
    ],
)
def test_causes(work, stolen, cause):
    overload = Overload()
    assert overload.turn(100.0, 0.012, TURN_S, work, lambda: stolen)
    assert overload.late == {cause: 1}


def test_in_time_is_not_late_and_steal_is_not_asked():
    overload = Overload()
    assert not overload.turn(100.0, TURN_S * 0.9, TURN_S, Work(0, 0, 0, 0, 99.0), lambda: pytest.fail("asked"))
    assert overload.late == {}


def test_the_load_follows_the_work():
    overload = Overload()
    run(overload, 200, worked_s=TURN_S / 2)
    assert overload.load == pytest.approx(0.5, abs=0.01)
    assert not overload.refuses(100)
    run(overload, 200, worked_s=TURN_S)
    assert overload.load > REFUSE_LOAD
    assert overload.refuses(0)


def test_a_call_is_refused_for_which_there_will_be_no_time():
    overload = Overload()
    run(overload, 200, worked_s=100 * 10e-6)  # 10 us a call
    assert overload.load < 0.3
    assert not overload.refuses(1700)
    assert overload.refuses(1800)


def test_calls_are_given_up_when_turns_stay_late_a_few_at_a_time():
    overload = Overload()
    run(overload, 200, worked_s=TURN_S)
    assert overload.shed(1000) == 0  # not late yet
    run(overload, SUSTAINED_TURNS, worked_s=TURN_S * 1.25, behind_s=TURN_S * 2)
    assert overload.shed(1000) == int(1000 * SHARES[1])
    assert overload.shed(800) == 0  # first see what comes of it
    run(overload, 2 * SUSTAINED_TURNS - 1, worked_s=TURN_S, behind_s=TURN_S * 2)
    assert overload.shed(800) == 0
    run(overload, 1, worked_s=TURN_S, behind_s=TURN_S * 2)
    assert overload.shed(10) >= 1


def test_who_is_late_but_not_busy_gives_up_nobody():
    overload = Overload()
    run(overload, 200, worked_s=TURN_S * 0.2, behind_s=TURN_S * 2)  # a machine that does not let us run
    assert overload.shed(1000) == 0
