"""Who is called again."""

from __future__ import annotations

import pytest

from api.redial import again_at


@pytest.mark.parametrize("cause", ["busy", "no_answer", "unavailable", "congestion"])
def test_who_was_not_reached(cause: str) -> None:
    assert again_at(5, [cause], 1000.0) == 1300.0
    assert again_at(None, [cause], 1000.0) is None
    assert again_at(0, [cause], 1000.0) is None


@pytest.mark.parametrize(
    "cause",
    [
        "answered",
        "answered_machine",
        "rejected",
        "unallocated",
        "cancelled",
        "interrupted",
        "suppressed",
        "internal_error",
    ],
)
def test_who_is_not_called_again(cause: str) -> None:
    assert again_at(5, [cause], 1000.0) is None
    assert again_at(5, ["busy", cause], 1000.0) is None


def test_one_cap_over_all_causes() -> None:
    assert again_at(5, ["busy", "no_answer", "congestion"], 0.0) is not None
    assert again_at(5, ["busy", "no_answer", "congestion", "unavailable"], 0.0) is None


def test_a_fault_of_the_trunk_is_not_the_callees() -> None:
    assert again_at(5, ["trunk_error"] * 3 + ["busy"] * 3, 0.0) is not None
    assert again_at(5, ["busy"] * 3 + ["trunk_error"], 0.0) is not None
    assert again_at(5, ["trunk_error"] * 4, 0.0) is None
