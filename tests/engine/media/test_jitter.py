"""The jitter buffer against lines that lose, double, delay and reorder, and far ends whose clocks are others."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.g711 import SILENCE, Law
from engine.media.jitter import DELAY_FRAMES, DELAY_FRAMES_MAX, LAG_FRAMES, STRAYS, JitterBuffer

ROW = np.array([0])


class Line:
    """A far end whose frame n says n, and a reader; `late` gives how many turns later a packet comes."""

    def __init__(self, first: int = (1 << 32) - 480) -> None:
        self.buffer = JitterBuffer(1)
        self.buffer.open(0, Law.A)
        self.first = first
        self.heard: list[int | None] = []
        self.lagging: list[int | None] = []

    def send(self, number: int, *, fast: bool = True) -> None:
        timestamp = (self.first + number * 160) % (1 << 32)
        codes = np.full(160, number % 200, np.uint8)
        if fast:
            self.buffer.put_frames(ROW, np.array([timestamp], np.uint32), codes[None])
        else:
            self.buffer.put(0, timestamp, codes, Law.A)

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.buffer.turn(ROW)
            self.heard.append(int(self.buffer.frame[0, 0]) if self.buffer.present[0] else None)
            codes, present = self.buffer.lagging(ROW)
            self.lagging.append(int(codes[0, 0]) if present[0] else None)

    def run(self, arrivals: dict[int, list[int]], turns: int) -> None:
        for turn in range(turns):
            for number in arrivals.get(turn, []):
                self.send(number, fast=number % 3 != 0)
            self.turn()


def said(frames: list[int | None]) -> list[int]:
    return [frame for frame in frames if frame is not None]


def test_a_steady_line_comes_through_whole_after_the_first_delay():
    line = Line()
    line.run({turn: [turn] for turn in range(190)}, 190)
    assert line.heard == [None] * DELAY_FRAMES + list(range(190 - DELAY_FRAMES))
    first = DELAY_FRAMES + LAG_FRAMES
    assert line.lagging == [None] * first + list(range(190 - first))


def test_two_in_one_tick_and_none_in_the_next_is_heard_as_if_nothing_had_been():
    line = Line()
    line.run({turn: [turn] if turn < 10 else [turn, turn + 1] if turn % 2 == 0 else [] for turn in range(60)}, 60)
    assert line.heard[DELAY_FRAMES:] == list(range(60 - DELAY_FRAMES))


def test_packets_out_of_order_are_put_in_order():
    line = Line()
    line.run({turn: [turn] for turn in range(0, 20)} | {5: [], 6: [6, 5]}, 20)
    assert said(line.heard) == list(range(20 - DELAY_FRAMES))


@given(st.lists(st.integers(0, 4), min_size=50, max_size=150), st.data())
def test_whatever_the_line_does_nothing_is_heard_twice_or_out_of_order(delays, data):
    lost = data.draw(st.sets(st.integers(0, len(delays) - 1), max_size=20))
    arrivals: dict[int, list[int]] = {}
    for number, delay in enumerate(delays):
        if number not in lost:
            arrivals.setdefault(number + delay, []).append(number)
    line = Line()
    line.run(arrivals, len(delays) + 30)
    heard = said(line.heard)
    assert heard == sorted(set(heard))
    assert set(heard) <= set(range(len(delays))) - lost
    first = next(number for number in range(len(delays)) if number not in lost)
    if delays[first] == 0 and first == 0:  # what is within the lag is all there, at its own place
        assert said(line.lagging) == [number for number in range(len(delays)) if number not in lost]


def test_the_delay_grows_with_jitter_and_shrinks_when_it_is_over():
    line, luck = Line(), random.Random(1)
    arrivals: dict[int, list[int]] = {}
    for number in range(190):
        arrivals.setdefault(number + (luck.choice((0, 1, 2, 3)) if number < 100 else 0), []).append(number)
    line.run(arrivals, 190)
    after = said(line.heard[60:])
    assert after == list(range(after[0], after[0] + len(after)))  # it has learnt the line by then
    grown = 190 - 1 - line.heard[-1]
    assert 2 <= grown <= 4
    for number in range(190, 190 + 5 * 250):
        line.send(number)
        line.turn()
    assert line.heard[-1] == (190 + 5 * 250 - 1 - DELAY_FRAMES) % 200


@pytest.mark.parametrize("ppm", [-2000, -100, 100, 2000])
def test_a_far_end_with_another_clock_is_followed_for_an_hour(ppm):
    line = Line()
    sent, turns = 0, 180_000 if abs(ppm) == 100 else 20_000
    for turn in range(turns):
        due = int(turn * (1 + ppm / 1e6))
        while sent <= due:
            line.send(sent)
            sent += 1
        line.turn()
    missing = line.heard[DELAY_FRAMES:].count(None)
    skipped = sent - len(said(line.heard))
    drift = abs(turns * ppm / 1e6)
    assert missing <= (1.2 * drift if ppm < 0 else 0) + 3  # now and then a frame is given up too early
    assert skipped <= (drift if ppm > 0 else 0.2 * drift) + DELAY_FRAMES + 3
    assert line.lagging[100:].count(None) <= drift + 3  # and the recording loses no more


def test_a_pause_of_the_far_end_is_a_pause():
    line = Line()
    line.run({turn: [turn] for turn in range(190) if not 20 <= turn < 120}, 190)
    assert said(line.heard) == [*range(20), *range(120, 190 - DELAY_FRAMES)]
    assert line.heard[DELAY_FRAMES + 20 : DELAY_FRAMES + 120] == [None] * 100


def test_a_far_end_that_counts_anew_is_heard_after_a_few_packets():
    line = Line()
    for number in range(20):
        line.send(number)
        line.turn()
    line.first += 123_457
    for number in range(20, 40):
        line.send(number)
        line.turn()
    assert said(line.heard)[-10:] == list(range(40 - DELAY_FRAMES - 10, 40 - DELAY_FRAMES))
    assert len(said(line.heard)) >= 40 - DELAY_FRAMES - STRAYS


def test_one_stray_timestamp_changes_nothing():
    line = Line()
    for number in range(30):
        line.send(10_000 if number == 10 else number)
        line.turn()
    assert said(line.heard) == [number for number in range(30 - DELAY_FRAMES) if number != 10]


def test_what_is_later_than_any_delay_is_counted_and_only_recorded():
    line = Line()
    line.run({turn: [turn] for turn in range(40)} | {20: [], 31: [31, 20]}, 60)
    assert 20 not in said(line.heard)
    assert 20 in said(line.lagging)
    assert line.buffer.late[0] == 1
    assert DELAY_FRAMES_MAX < 11


def test_packets_of_another_law_are_translated_and_the_first_one_chooses():
    buffer = JitterBuffer(2)
    buffer.open(0, Law.A)
    buffer.put(0, 0, np.full(160, 0x55, np.uint8), Law.MU)
    assert buffer.law[0] == Law.MU
    buffer.put(0, 160, np.full(160, SILENCE[Law.A], np.uint8), Law.A)
    for _ in range(DELAY_FRAMES + 2):
        buffer.turn(ROW)
    assert buffer.present[0]
    assert set(buffer.frame[0].tolist()) == {0xFE}  # +8 of A-law


def test_a_row_that_nobody_wants_keeps_nothing():
    buffer = JitterBuffer(1)
    buffer.put(0, 0, np.zeros(160, np.uint8), Law.A)
    buffer.open(0, Law.A)
    buffer.turn(ROW)
    assert not buffer.present[0]


def test_a_reserve_shrinks_in_every_row_whatever_the_phases():
    """Four phases share the buffer, a turn each: each row is settled by turns of its own."""
    rows = np.arange(8)
    buffer = JitterBuffer(rows.size)
    for row in rows:
        buffer.open(int(row), Law.A)
    phases = [rows[rows % 4 == phase] for phase in range(4)]
    codes = np.zeros((2, 160), np.uint8)
    late = 4  # turns that the tenth packet takes; then the line is calm
    for turn in range(3000):
        for phase in phases:
            if turn >= 10 + late or turn < 10:
                sent = [turn]
            else:
                sent = list(range(10, 10 + late)) if turn == 10 + late - 1 else []
            for number in sent:
                buffer.put_frames(phase, np.full(2, number * 160, np.uint32), codes)
            buffer.turn(phase)
        if turn == 20:
            grown = buffer._delay.copy()
    assert (grown > DELAY_FRAMES).all()
    assert (buffer._delay == DELAY_FRAMES).all()
