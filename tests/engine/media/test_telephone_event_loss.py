"""Ten thousand presses through lines that lose, delay and double: none lost that could be known, none doubled.

A press can be known if one of its packets came. How lines lose is seeded, so the counts are the same on every run: each
packet by itself, and in bursts (Gilbert's model: a line that is good or bad, and stays so for a while).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from engine.media.telephone_event import ENDS, EVENTS, Event, Presses

PRESSES = 10_000
PACKET_MS = 20
MS = 8  # units of the timestamp


class Sent(NamedTuple):
    """A packet as it leaves, and of which press it is."""

    at_ms: float
    press: int
    timestamp: int
    marker: bool
    event: Event


class Habit(NamedTuple):
    """How a far end presses keys."""

    update_ms: tuple[int, ...] = (20, 50)  # one of them, a press
    on_ms: tuple[int, int] = (40, 300)
    gap_ms: tuple[int, int] = (50, 400)
    segment_ms: int = 0  # a new timestamp so often within a press
    marker: bool = True
    ends: int = ENDS
    same_key: float = 0.4  # how often a key is pressed again


def pressed(chance: random.Random, habit: Habit, presses: int) -> Iterator[Sent]:
    at, key = 0.0, 0
    for number in range(presses):
        key = key if chance.random() < habit.same_key else chance.randrange(len(EVENTS))
        update = chance.choice(habit.update_ms)
        whole = max(update, chance.randint(*habit.on_ms) // update * update)
        segment = habit.segment_ms or whole
        for into in range(update, whole + 1, update):
            begun = (into - 1) // segment * segment
            event = Event(key, False, (into - begun) * MS)
            first = habit.marker and into == update
            yield Sent(at + into, number, int(at + begun) * MS, first, event)
        begun = (whole - 1) // segment * segment
        for repeat in range(habit.ends):
            end = Event(key, True, (whole - begun) * MS)
            yield Sent(at + whole + PACKET_MS * (repeat + 1), number, int(at + begun) * MS, False, end)
        at += whole + chance.randint(*habit.gap_ms)


def each_by_itself(chance: random.Random, share: float) -> Iterator[bool]:
    while True:
        yield chance.random() < share


def in_bursts(chance: random.Random, share: float, length: float = 4.0) -> Iterator[bool]:
    """Gilbert's model: bad for `length` packets on average, so that `share` of all is lost."""
    bad = False
    while True:
        leave = 1 / length if bad else share / (1 - share) / length
        bad = bad != (chance.random() < leave)
        yield bad


LINES = {
    "3 %": (each_by_itself, 0.03),
    "10 %": (each_by_itself, 0.10),
    "3 % in bursts": (in_bursts, 0.03),
    "10 % in bursts": (in_bursts, 0.10),
}


class Told(NamedTuple):
    """What became of the presses: how many could be known, which of them were not told, and which twice."""

    known: int
    lost: list[int]
    doubled: list[int]


def through(line: str, habit: Habit, presses: int, *, jitter_ms: float = 0, doubled: float = 0) -> Told:
    chance = random.Random(1)
    model, share = LINES[line]
    losses = model(chance, share)
    came: list[tuple[float, Sent]] = []
    for sent in pressed(chance, habit, presses):
        if not next(losses):
            times = 1 + (chance.random() < doubled)
            came += [(sent.at_ms + chance.random() * jitter_ms, sent) for _ in range(times)]
    came.sort(key=lambda one: one[0])
    ear = Presses()
    told = dict.fromkeys((sent.press for _, sent in came), 0)
    for _, sent in came:
        digit = ear.take(1, sent.timestamp & 0xFFFFFFFF, sent.marker, sent.event)
        assert digit in (None, EVENTS[sent.event.code])
        told[sent.press] += digit is not None
    return Told(
        len(told), [press for press, n in told.items() if n == 0], [press for press, n in told.items() if n > 1]
    )


@pytest.mark.parametrize("line", LINES)
def test_ten_thousand_presses(line):
    told = through(line, Habit(), PRESSES)
    assert told.known >= PRESSES * (0.97 if "bursts" in line else 0.9999)
    assert (told.lost, told.doubled) == ([], [])


@pytest.mark.parametrize(
    "habit",
    [
        Habit(gap_ms=(50, 50), on_ms=(40, 100)),
        Habit(marker=False),
        Habit(ends=1),
        Habit(ends=0, marker=False, gap_ms=(50, 200)),
        Habit(on_ms=(400, 3000), update_ms=(50,)),
    ],
    ids=["50 ms apart", "no marker", "one end", "neither", "long"],
)
def test_other_habits(habit):
    told = through("10 % in bursts", habit, 3000)
    assert (told.lost, told.doubled) == ([], [])


@pytest.mark.parametrize("line", ["10 %", "10 % in bursts"])
def test_out_of_order_and_doubled(line):
    """Delays of up to 60 ms, more than there is between two presses, so that their packets mix."""
    told = through(line, Habit(gap_ms=(50, 300)), 3000, jitter_ms=60, doubled=0.2)
    assert (told.lost, told.doubled) == ([], [])


@pytest.mark.parametrize("line", ["10 %", "10 % in bursts"])
@pytest.mark.parametrize("segment_ms", [500, 1000, 700])
def test_a_new_timestamp_within_one_press(line, segment_ms):
    habit = Habit(on_ms=(200, 3000), gap_ms=(100, 400), segment_ms=segment_ms)
    told = through(line, habit, 1500)
    assert told.lost == []
    # Until a whole seam has come nobody can know how long its segments are.
    assert set(told.doubled) <= {0}
