"""What a far end got, from the times of the kernel: what is missing, and how far from its time each packet came. Pure.

A packet's time is that of its RTP timestamp, for nothing else is what the listener hears it at: each call has a grid of
20 ms, and a sender that gives up frames after a stall (timestamps jump) is on its grid again with the next packet.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FRAME_MS: Final = 20
FRAME_SAMPLES: Final = 160
LATE_MS: Final = 20.0
PERCENTILES: Final = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9, "max": 100.0}


class Packets(NamedTuple):
    """Columns, a row a packet."""

    call: NDArray[np.int64]
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    at_ns: NDArray[np.int64]

    def pick(self, which: NDArray[Any]) -> Packets:
        """Some rows, by number or by yes and no."""
        return Packets(self.call[which], self.sequence[which], self.timestamp[which], self.at_ns[which])


class Summary(NamedTuple):
    """Of one window: packets the design sent, those that did not come, those that came too late, and the errors."""

    sent: int
    lost: int
    late: int
    pacing_ms: dict[str, float | None]


def summarise(packets: Packets, calls: int, seconds: float) -> Summary:
    """Of the packets of all calls in a window of at most ten minutes.

    `sent` and `lost` go by sequence numbers. `late` are the packets that came more than 20 ms behind the grid, which
    lies at the call's earliest packet; frames that the sender gave up; and what was due at the end and had not come. A
    call of which nothing came has lost everything. The pacing error is the distance to the grid, lying at the median.
    """
    due = round(seconds * 1000 / FRAME_MS)
    packets = _sorted(packets)
    starts = np.flatnonzero(np.diff(packets.call, prepend=-1))
    silent = max(0, calls - starts.size)
    if starts.size == 0:
        return Summary(silent * due, silent * due, 0, dict.fromkeys(PERCENTILES))
    sizes = np.diff(starts, append=packets.call.size)
    numbers = _since(packets.sequence, np.int16, starts, sizes)
    frames = _since(packets.timestamp, np.int32, starts, sizes) / FRAME_SAMPLES
    sent = _span(numbers, starts) + 1
    distinct = np.unique(packets.call << 32 | numbers + (1 << 31)).size
    errors = (packets.at_ns - np.repeat(packets.at_ns[starts], sizes)) / 1e6 - frames * FRAME_MS
    behind = errors - np.repeat(np.minimum.reduceat(errors, starts), sizes)
    given_up = np.maximum(0, _span(frames, starts) + 1 - sent)
    not_yet = np.maximum(0, due - 1 - (_span(frames, starts) + 1))
    distances = np.abs(errors - np.repeat(_medians(errors, packets.call, starts, sizes), sizes))
    return Summary(
        int(sent.sum()) + silent * due,
        int(sent.sum()) - distinct + silent * due,
        int(np.count_nonzero(behind > LATE_MS) + given_up.sum() + not_yet.sum()),
        {name: round(float(np.percentile(distances, share)), 4) for name, share in PERCENTILES.items()},
    )


def _sorted(packets: Packets) -> Packets:
    return packets.pick(np.lexsort((packets.at_ns, packets.call)))


def _since(column: NDArray[Any], kind: Any, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far each value is from its call's first, around the wrap."""
    return np.asarray((column - np.repeat(column[starts], sizes)).view(kind), np.int64)


def _span(column: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return np.asarray(np.maximum.reduceat(column, starts) - np.minimum.reduceat(column, starts))


def _medians(
    errors: NDArray[np.float64], call: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    ordered: NDArray[np.float64] = errors[np.lexsort((errors, call))]
    return np.asarray(ordered[starts + sizes // 2])
