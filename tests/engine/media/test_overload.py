"""Who is to blame for a late turn, and when calls are given up."""

from __future__ import annotations

import pytest

from engine.media.overload import MOSTLY, REFUSE_BUSY, SUSTAINED_TURNS, Cause, Overload, Work
from engine.media.pacer import TURN_S


def run(overload, turns, *, worked_s, behind_s=0.0):
    for turn in range(turns):
        now = turn * TURN_S
        overload.turn(now, behind_s, Work(worked_s, worked_s, now - 0.0001), lambda: False)


@pytest.mark.parametrize(
    ("work", "stolen", "cause"),
    [
        (Work(0.012, 0.012, 100.011), False, Cause.OWN_WORK),
        (Work(0.012, 0.002, 100.011), False, Cause.SCHEDULER),  # it took long because it stood still
        (Work(0.012, 0.002, 100.011), True, Cause.STEAL),
        (Work(0.001, 0.001, 99.99), False, Cause.SCHEDULER),  # it was not woken
        (Work(0.001, 0.001, 99.99), True, Cause.STEAL),
    ],
)
def test_causes(work, stolen, cause):
    overload = Overload()
    assert overload.turn(100.012, 0.012, work, lambda: stolen)
    assert overload.late == {cause: 1}


def test_in_time_is_not_late_and_steal_is_not_asked():
    overload = Overload()
    assert not overload.turn(100.0, TURN_S * 0.9, Work(0, 0, 99.0), lambda: pytest.fail("asked"))
    assert overload.late == {}


def test_busy_follows_the_work():
    overload = Overload()
    run(overload, 200, worked_s=TURN_S / 2)
    assert overload.busy == pytest.approx(0.5, abs=0.01)
    assert not overload.refusing
    run(overload, 200, worked_s=TURN_S)
    assert overload.busy > REFUSE_BUSY
    assert overload.refusing


def test_calls_are_given_up_when_turns_stay_late_and_then_it_is_watched_again():
    overload = Overload()
    run(overload, SUSTAINED_TURNS * 2, worked_s=TURN_S, behind_s=0.0)
    assert overload.shed(1000) == 0
    run(overload, SUSTAINED_TURNS, worked_s=TURN_S, behind_s=TURN_S * 2)
    assert overload.shed(1000) == 50
    assert overload.shed(950) == 0
    run(overload, SUSTAINED_TURNS - 1, worked_s=TURN_S, behind_s=TURN_S * 2)
    assert overload.shed(950) == 0
    run(overload, 1, worked_s=TURN_S, behind_s=TURN_S * 2)
    assert overload.shed(10) == 1
    assert MOSTLY < 1
