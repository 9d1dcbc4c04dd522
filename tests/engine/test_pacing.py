"""GCRA: starts are spaced, never more than the rate."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.pacing import Gcra


def test_no_rate_no_wait() -> None:
    pace = Gcra(None)
    assert [pace.reserve(5.0) for _ in range(3)] == [5.0, 5.0, 5.0]
    assert pace.free(5.0, 1.0) is None


def test_starts_are_spaced_evenly() -> None:
    pace = Gcra(4)
    assert [pace.reserve(10.0) for _ in range(4)] == [10.0, 10.25, 10.5, 10.75]


def test_free_counts_the_slots_ahead() -> None:
    pace = Gcra(2)
    assert pace.free(10.0, 1.0) == 3  # at 10.0, 10.5 and 11.0
    for _ in range(5):
        pace.reserve(10.0)
    assert pace.free(10.0, 1.0) == 0


@given(st.floats(0.5, 50), st.lists(st.floats(0, 2), min_size=1, max_size=50))
def test_never_faster_than_the_rate(rate: float, gaps: list[float]) -> None:
    pace, now, starts = Gcra(rate), 0.0, []
    for gap in gaps:
        now += gap
        starts.append(pace.reserve(now))
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in itertools.pairwise(starts))
