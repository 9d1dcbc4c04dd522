"""Lines of several runs, put together: the median and the range of each figure. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

from zvonar.bench_media.pacing import FRAME_MS

DESIGNS: Final = ("zvonar", "floor", "asyncio", "asterisk", "pyvoip")
CAME: Final = 0.99  # a design carries its calls if so many of the packets that were due came,
IN_TIME_MS: Final = 40.0  # and 99 % of them so near to their time: what a usual jitter buffer bears


class Spread(NamedTuple):
    """Of one figure."""

    least: float
    middle: float
    most: float


class Point(NamedTuple):
    """One design with so many calls. `carried` is false where it could not keep up: its figures are then of less."""

    design: str
    calls: int
    runs: int
    cpu_us: Spread
    p50_ms: Spread
    p99_ms: Spread
    lost: Spread
    wrong: Spread
    late: Spread
    carried: bool


class Ratio(NamedTuple):
    """CPU of a peer by that of the plane which was measured just before it, over all pairs."""

    peer: str
    calls: int
    times: Spread


def read(text: str) -> list[dict[str, Any]]:
    """The lines that `zvonar bench media --json` printed."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def points(lines: Iterable[dict[str, Any]]) -> list[Point]:
    """By design, then by calls."""
    groups: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((DESIGNS.index(line["design"]), line["calls"]), []).append(line)
    return [_point(group) for _, group in sorted(groups.items())]


def ratios(lines: list[dict[str, Any]]) -> list[Ratio]:
    """Of each peer at each number of calls, in the order of `DESIGNS`."""
    pairs: dict[tuple[int, int], list[float]] = {}
    for plane, peer in pairwise(lines):
        together = plane["design"] == "zvonar" != peer["design"] and plane["calls"] == peer["calls"]
        if together and plane["cpu_us"] and peer["cpu_us"]:
            key = (DESIGNS.index(peer["design"]), peer["calls"])
            pairs.setdefault(key, []).append(peer["cpu_us"] / plane["cpu_us"])
    return [Ratio(DESIGNS[design], calls, _spread(values)) for (design, calls), values in sorted(pairs.items())]


def _point(group: list[dict[str, Any]]) -> Point:
    came = median((line["sent"] - line["lost"]) / _due(line) for line in group)
    p99_ms = _spread([line["pacing_ms"]["p99"] or 0.0 for line in group])
    return Point(
        group[0]["design"],
        group[0]["calls"],
        len(group),
        _spread([line["cpu_us"] or 0.0 for line in group]),
        _spread([line["pacing_ms"]["p50"] or 0.0 for line in group]),
        p99_ms,
        _spread([line["lost"] for line in group]),
        _spread([line["wrong"] for line in group]),
        _spread([line["late"] for line in group]),
        came >= CAME and p99_ms.middle <= IN_TIME_MS,
    )


def _due(line: dict[str, Any]) -> float:
    return max(1.0, float((line["calls"] - line["refused"]) * line["seconds"] * 1000 / FRAME_MS))


def _spread(values: list[float]) -> Spread:
    return Spread(min(values), median(values), max(values))
