"""Deadlines are absolute; a stall slips; calls are spread over the frame as they grow more."""

from __future__ import annotations

import random

import pytest

from engine.media.pacer import FRAME_S, PHASES, TURN_S, Pacer, phase_of_next


def test_small_delays_do_not_add_up():
    pacer = Pacer(100.0)
    for turn in range(50):
        assert pacer.deadline == pytest.approx(100.0 + turn * TURN_S)
        slipped, behind = pacer.begin(pacer.deadline + 0.003)
        assert (slipped, behind) == (0, pytest.approx(0.003))


def test_an_hour_drifts_by_nothing():
    pacer, luck = Pacer(5_000_000.0), random.Random(1)
    for _ in range(3600 * 50 * PHASES):
        pacer.begin(pacer.deadline + luck.random() * 0.019)
    assert pacer.deadline == pytest.approx(5_000_000.0 + 3600, abs=1e-5)


def test_a_stall_slips_by_whole_frames():
    pacer = Pacer(0.0)
    pacer.begin(0.0)
    slipped, behind = pacer.begin(TURN_S + 0.093)
    assert (slipped, behind) == (4, pytest.approx(0.093))
    assert pacer.deadline == pytest.approx(2 * TURN_S + 0.080)


def test_less_than_a_frame_is_caught_up():
    pacer = Pacer(0.0)
    assert pacer.begin(0.019)[0] == 0
    assert pacer.deadline == pytest.approx(TURN_S)


def test_too_early_is_no_slip():
    assert Pacer(10.0).begin(9.0)[0] == 0


@pytest.mark.parametrize(("calls", "phases"), [([0, 0, 0, 0], [0]), ([9, 0, 0, 0], [0]), ([9, 0, 1, 0], [0, 2]),
                                               ([9, 1, 1, 1], [0, 1, 2, 3]), ([0, 0, 0, 1], [0, 3])])  # fmt: skip
def test_turns_that_serve_nobody_are_passed_over(calls, phases):
    pacer, served = Pacer(0.0), []
    for _ in range(12):
        pacer.skip(calls)
        served.append((pacer.phase, round(pacer.deadline % FRAME_S, 6) % FRAME_S))
        pacer.begin(pacer.deadline)
    assert [phase for phase, _ in served] == (phases * 12)[:12]
    assert all(due == pytest.approx(phase * TURN_S) for phase, due in served)


def test_phases_grow_with_the_calls():
    calls = [0] * PHASES
    for _ in range(500):
        calls[phase_of_next(calls)] += 1
    assert calls == [500, 0, 0, 0]
    for _ in range(1500):
        calls[phase_of_next(calls)] += 1
    assert calls == [1000, 0, 1000, 0]
    for _ in range(2000):
        calls[phase_of_next(calls)] += 1
    assert calls == [1000, 1000, 1000, 1000]
