"""The far end's keys: how many begin in a window, and that each is whole."""

from __future__ import annotations

import numpy as np

from zvonar.bench_media.presses import BEFORE_THE_END, EVERY, PACKETS, Presses

CALLS = 300
TICKS = 600


def pressed(presses: Presses, ticks: range) -> list[tuple[int, int, bytes]]:
    """Tick, call and payload of each packet."""
    sent = []
    for tick in ticks:
        ages = presses.ages(0, CALLS, tick)
        calls = np.flatnonzero((ages >= 0) & (ages < PACKETS)).tolist()
        sent += [(tick, call, presses.event(call, int(ages[call]))) for call in calls]
    return sent


def test_each_press_is_whole_and_within_the_window() -> None:
    presses = Presses(CALLS)
    assert pressed(presses, range(50)) == []
    presses.begin(50, TICKS)
    sent = pressed(presses, range(50, 50 + TICKS + 100))
    assert len(sent) == presses.begun * PACKETS
    assert max(tick for tick, _, _ in sent) < 50 + TICKS - BEFORE_THE_END + PACKETS
    first = [payload for _, call, payload in sent if call == 0][:PACKETS]
    assert [payload[1] >> 7 for payload in first] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert [int.from_bytes(payload[2:]) for payload in first] == [160, 320, 480, 640, 800, 800, 800, 800]
    assert len({payload[0] for payload in first}) == 1


def test_calls_press_again_and_again_but_not_together() -> None:
    presses = Presses(CALLS)
    presses.begin(0, TICKS)
    begun = [(tick, call) for tick, call, payload in pressed(presses, range(TICKS)) if payload[2:] == b"\x00\xa0"]
    assert presses.begun == len(begun) >= CALLS * (TICKS - BEFORE_THE_END) // EVERY
    at_once = max(np.bincount([tick for tick, _ in begun]))
    assert at_once <= 2
