"""One press is one digit, whatever the line did to its packets."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.telephone_event import ENDS, EVENTS, Event, Presses, build, parse, press

Told = tuple[int, bool, Event]  # timestamp, marker, event


def packets_of(code: int, started: int, packets: int, ends: int = ENDS, *, marker: bool = True) -> list[Told]:
    """One press as it is sent: a packet every 20 ms, then the ends."""
    going = [(started, marker and n == 0, Event(code, False, 160 * (n + 1))) for n in range(packets)]
    return going + [(started, False, Event(code, True, 160 * packets))] * ends


def heard(told: list[Told], ssrc: int = 1) -> str:
    presses = Presses()
    return "".join(filter(None, (presses.take(ssrc, stamp & 0xFFFFFFFF, mark, event) for stamp, mark, event in told)))


def test_payload_survives():
    assert parse(build(Event(11, True, 4000))) == Event(11, True, 4000)
    assert parse(build(Event(3, False, 65535)) + b"more") == Event(3, False, 65535)
    assert parse(b"\x01\x0a\x00") is None


@pytest.mark.parametrize("code", range(16))
def test_every_key(code):
    assert heard(packets_of(code, 0, 5)) == EVENTS[code]


def test_flash_and_other_events_are_no_keys():
    assert heard(packets_of(16, 0, 5) + packets_of(32, 9000, 5)) == ""


def test_marker_lost():
    assert heard(packets_of(5, 800, 5)[1:]) == "5"


def test_ends_lost():
    assert heard(packets_of(5, 800, 5, ends=0) + packets_of(6, 4000, 5, ends=0)) == "56"


def test_only_the_last_end_came():
    assert heard(packets_of(5, 800, 5)[-1:]) == "5"


def test_the_same_key_twice_50_ms_apart():
    assert heard(packets_of(1, 0, 5) + packets_of(1, 800 + 400, 5)) == "11"


def test_the_same_key_twice_50_ms_apart_without_ends_and_markers():
    first, second = packets_of(1, 0, 5, ends=0)[1:], packets_of(1, 800 + 400, 5, ends=0)[1:]
    assert heard(first + second) == "11"


def test_a_press_longer_than_a_duration_can_say_is_one():
    """RFC 4733, section 2.5.1.3: at 65535 a new segment begins where the last one ended."""
    first = [(0, n == 0, Event(7, False, min(65535, 160 * (n + 1)))) for n in range(410)]
    second = [(65535, False, Event(7, False, 160 * (n + 1))) for n in range(20)]
    ends = [(65535, False, Event(7, True, 3200))] * 3
    assert heard(first + second + ends) == "7"


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_segments_of_half_a_second_are_one_press(lost):
    """Some senders begin a new timestamp, and count the duration anew, every half second of a long press."""
    told = []
    for segment in range(4):
        going = packets_of(9, segment * 4000, 25, ends=0, marker=segment == 0)
        told += going[lost:] if segment else going
    told += [(12000, False, Event(9, True, 4000))] * 3
    if lost:
        del told[24]  # and the last packet of the first segment
    assert heard(told) == "9"


def test_a_marker_in_a_long_press_is_another_press():
    told = packets_of(9, 0, 30, ends=0) + packets_of(9, 4800 + 160, 5)
    assert heard(told) == "99"


def test_the_duration_falls_back_within_a_press():
    told = [(0, n == 0, Event(2, False, 160 * (n % 10 + 1))) for n in range(30)]
    assert heard(told + [(0, False, Event(2, True, 1600))] * 3) == "2"


def test_late_packets_of_the_press_before():
    first, second = packets_of(3, 0, 5), packets_of(4, 2000, 5)
    assert heard(first[:6] + second[:2] + first[6:] + second[2:]) == "34"


def test_the_timestamp_runs_over():
    assert heard(packets_of(8, (1 << 32) - 300, 5) + packets_of(8, (1 << 32) + 1700, 5)) == "88"


def test_the_same_timestamp_of_another_source_is_another_press():
    presses = Presses()
    assert presses.take(1, 160, True, Event(1, False, 160)) == "1"
    assert presses.take(2, 160, True, Event(1, False, 160)) == "1"


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, list[Told]]:
    """Presses of any length and spacing, and what a line that loses, doubles and reorders makes of them."""
    codes = draw(st.lists(st.integers(0, 15), min_size=1, max_size=12))
    stamp = draw(st.integers(0, (1 << 32) - 1))
    chance = random.Random(draw(st.integers(0, 1 << 30)))
    loss, doubled = draw(st.sampled_from([0.0, 0.2, 0.5])), draw(st.sampled_from([0.0, 0.3]))
    due: list[tuple[float, Told]] = []
    at = 0.0
    for code in codes:
        packets = draw(st.integers(2, 20))
        told = packets_of(code, stamp, packets)
        kept = [one for one in told if chance.random() >= loss] or [chance.choice(told)]
        for number, one in enumerate(kept):
            due.append((at + number + chance.random() * 4, one))
            if chance.random() < doubled:
                due.append((at + number + chance.random() * 4, one))
        gap = draw(st.integers(50, 500))
        at += packets + 6 + gap / 20
        stamp += packets * 160 + gap * 8
    due.sort(key=lambda entry: entry[0])
    return "".join(EVENTS[code] for code in codes), [one for _, one in due]


@given(lines())
def test_any_line(line):
    pressed, told = line
    assert heard(told) == pressed


@given(st.text(EVENTS, min_size=1, max_size=8), st.integers(20, 400), st.integers(20, 300))
def test_what_we_send_is_heard(digits, on_ms, off_ms):
    told, stamp, ends = [], 0, 0
    for digit in digits:
        ticks = list(press(digit, on_ms, off_ms))
        for sending in ticks:
            told += [(stamp, sending.marker, event) for event in sending.events]
            ends += sum(event.end for event in sending.events)
        stamp += len(ticks) * 160
    assert heard(told) == digits
    assert ends == ENDS * len(digits)


def test_a_press_as_it_goes_out():
    ticks = list(press("#", 60, 100))
    assert [[event.duration for event in tick.events] for tick in ticks] == [
        [160],
        [320],
        [480],
        [480],
        [480],
        [480],
        [],
        [],
    ]
    assert [tick.marker for tick in ticks] == [True] + [False] * 7
    with pytest.raises(ValueError, match="substring"):
        next(press("x", 100, 100))
