"""Deadlines are absolute; a stall slips."""

from __future__ import annotations

import pytest

from engine.media.pacer import Pacer


def test_small_delays_do_not_add_up():
    pacer = Pacer(100.0)
    for turn in range(50):
        assert pacer.deadline == pytest.approx(100.0 + turn * 0.020)
        assert pacer.begin(pacer.deadline + 0.005) == (0, False)


def test_a_stall_slips_by_whole_frames():
    pacer = Pacer(0.0)
    pacer.begin(0.0)
    assert pacer.begin(0.020 + 0.093) == (4, True)
    assert pacer.deadline == pytest.approx(0.040 + 0.080)
    assert pacer.begin(pacer.deadline) == (0, False)


def test_less_than_a_frame_is_caught_up():
    pacer = Pacer(0.0)
    assert pacer.begin(0.019) == (0, False)
    assert pacer.deadline == pytest.approx(0.020)


def test_phases_share_the_frame():
    pacer = Pacer(0.0, phases=4)
    due = []
    for _ in range(8):
        due.append((pacer.phase, round(pacer.deadline, 6)))
        pacer.begin(pacer.deadline)
    assert due == [(0, 0.0), (1, 0.005), (2, 0.01), (3, 0.015), (0, 0.02), (1, 0.025), (2, 0.03), (3, 0.035)]
    assert pacer.begin(pacer.deadline + 0.006) == (0, True)


def test_too_early_is_no_slip():
    assert Pacer(10.0).begin(9.0) == (0, False)
