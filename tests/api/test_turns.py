"""Accounts take turns."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from api.turns import Lane, picks

ONE, OTHER = "79932432781", "74951234567"


def test_the_one_served_longest_ago_is_first() -> None:
    lanes = [Lane(ONE, 1, 50.0), Lane(ONE, 2, 10.0), Lane(ONE, 3, 30.0)]
    assert picks(lanes, 1, {ONE: 9}) == {lanes[1]: 1}
    assert picks(lanes, 2, {ONE: 9}) == {lanes[1]: 1, lanes[2]: 1}
    assert picks(lanes, 7, {ONE: 9}) == {lanes[1]: 3, lanes[2]: 2, lanes[0]: 2}


def test_many_numbers_are_no_more_turns() -> None:
    lanes = [Lane(ONE, 1, 0.0), Lane(OTHER, 1, 0.0), Lane(ONE, 2, 0.0)]
    taken = picks(lanes, 4, {ONE: 9, OTHER: 9})
    assert taken == {lanes[0]: 1, lanes[1]: 1, lanes[2]: 2}


def test_a_full_number_leaves_the_room_to_others() -> None:
    lanes = [Lane(ONE, 1, 0.0), Lane(OTHER, 2, 5.0)]
    assert picks(lanes, 6, {ONE: 1, OTHER: 9}) == {lanes[0]: 1, lanes[1]: 5}
    assert picks(lanes, 6, {ONE: 0, OTHER: 0}) == {}


LANES = st.lists(
    st.tuples(st.sampled_from([ONE, OTHER]), st.integers(1, 6), st.floats(0, 100)), max_size=12,
    unique_by=lambda lane: lane[:2],
)  # fmt: skip


@given(LANES, st.integers(0, 40), st.integers(-1, 20), st.integers(0, 20))
def test_no_more_than_there_is_room_for_and_nobody_left_out(
    given_lanes: list[tuple[str, int, float]], room: int, room_of_one: int, room_of_other: int
) -> None:
    lanes = [Lane(*lane) for lane in given_lanes]
    rooms = {ONE: room_of_one, OTHER: room_of_other}
    taken = picks(lanes, room, rooms)
    assert sum(taken.values()) <= room
    of_number, of_account = Counter[str](), Counter[int]()
    for lane, count in taken.items():
        of_number[lane.outgoing] += count
        of_account[lane.account_id] += count
    assert all(of_number[number] <= max(0, rooms[number]) for number in rooms)
    # On one number, whoever has a lane gets as much as the others, give or take one.
    shares = [of_account[lane.account_id] for lane in lanes if lane.outgoing == ONE]
    if shares and all(lane.outgoing == ONE for lane in lanes):
        assert max(shares) - min(shares) <= 1
