"""What the far end's figures mean, on columns made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zvonar.bench_media.pacing import PERCENTILES, Packets, Summary, summarise

SECONDS = 2.0
DUE = 100


def stream(
    count: int = DUE, *, call: int = 0, first: int = 65500, late_ms: dict[int, float] | None = None
) -> list[list[int]]:
    """Rows of call, sequence, timestamp, arrival in ns: a packet each 20 ms, some of them late."""
    return [
        [
            call,
            (first + number) % (1 << 16),
            (0xFFFFFF00 + number * 160) % (1 << 32),
            round(1e18) + number * 20_000_000 + round((late_ms or {}).get(number, 0) * 1e6),
        ]
        for number in range(count)
    ]


def told(rows: list[list[int]], calls: int = 1) -> Summary:
    call, sequence, timestamp, at_ns = (
        np.array(column) for column in zip(*rows, strict=True)
    )  # in no order, as they were read
    packets = Packets(call, sequence.astype(np.uint16), timestamp.astype(np.uint32), at_ns)
    return summarise(packets.pick(np.random.default_rng(1).permutation(call.size)), calls, SECONDS)


def test_a_good_stream_is_good_across_both_wraps() -> None:
    assert told(stream()) == Summary(DUE, 0, 0, dict.fromkeys(PERCENTILES, 0.0))


def test_what_is_missing_in_the_numbers_is_lost() -> None:
    rows = stream()
    del rows[40], rows[70]
    assert told(rows)[:3] == (DUE, 2, 0)


def test_a_double_replaces_no_lost_one() -> None:
    rows = stream()
    rows[40] = rows[41]
    assert told(rows)[:2] == (DUE, 1)


def test_a_call_of_which_nothing_came_has_lost_everything() -> None:
    assert told(stream(call=1), calls=3)[:3] == (3 * DUE, 2 * DUE, 0)


def test_no_packet_at_all() -> None:
    empty = Packets(np.zeros(0, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.uint32), np.zeros(0, np.int64))
    assert summarise(empty, 2, SECONDS) == Summary(2 * DUE, 2 * DUE, 0, dict.fromkeys(PERCENTILES))


@pytest.mark.parametrize(("late_ms", "late"), [(19.9, 0), (20.1, 1)])
def test_late_is_more_than_20_ms_behind_the_grid(late_ms: float, late: int) -> None:
    summary = told(stream(late_ms={50: late_ms}))
    assert summary.late == late
    assert summary.pacing_ms["max"] == pytest.approx(late_ms)
    assert summary.pacing_ms["p50"] == 0


def test_frames_given_up_are_late_and_the_rest_is_on_its_grid() -> None:
    """After a stall of 60 ms three frames are skipped in time, and the numbers go on."""
    rows = stream(97)
    for number, row in enumerate(rows):
        if number >= 30:
            row[2] = (row[2] + 3 * 160) % (1 << 32)
            row[3] += 60_000_000
    assert told(rows) == Summary(97, 0, 3, dict.fromkeys(PERCENTILES, 0.0))


def test_who_falls_behind_more_and_more_is_late_with_what_has_not_come() -> None:
    """25 ms a packet: 80 of 100 come, each 5 ms further behind; the packet of the window's edge is forgiven."""
    rows = stream(80, late_ms={number: 5.0 * number for number in range(80)})
    assert told(rows)[:3] == (80, 0, 75 + 19)


def test_each_call_has_its_own_grid() -> None:
    rows = stream() + [[1, sequence, timestamp, at + 7_000_000] for _, sequence, timestamp, at in stream(first=9)]
    assert told(rows, calls=2) == Summary(2 * DUE, 0, 0, dict.fromkeys(PERCENTILES, 0.0))
