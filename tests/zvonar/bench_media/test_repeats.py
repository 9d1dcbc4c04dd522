"""Lines of several runs as a page and a picture."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from zvonar.bench_media.docs import page
from zvonar.bench_media.plot import draw
from zvonar.bench_media.repeats import Spread, points, ratios, read

SVG = "{http://www.w3.org/2000/svg}"


def line(design: str, calls: int, cpu_us: float | None, p99: float | None = 0.3, sent: int = 400) -> dict[str, Any]:
    return {
        "design": design, "calls": calls, "seconds": 8.0, "cpu_us": cpu_us, "refused": 0, "sent": calls * sent,
        "lost": 0, "wrong": 0, "late": 0, "pacing_ms": {"p50": p99, "p99": p99},
    }  # fmt: skip


LINES = [
    line("zvonar", 50, 10), line("pyvoip", 50, 100), line("zvonar", 50, 8), line("floor", 50, 4),
    line("zvonar", 50, 20), line("pyvoip", 50, 80), line("zvonar", 50, 9), line("floor", 50, 3),
    line("zvonar", 500, 7), line("pyvoip", 500, None, 12, sent=390), line("zvonar", 50, 6),
]  # fmt: skip


def test_points_are_medians_with_their_range() -> None:
    found = {(point.design, point.calls): point for point in points(LINES)}
    assert list(found) == [("zvonar", 50), ("zvonar", 500), ("floor", 50), ("pyvoip", 50), ("pyvoip", 500)]
    assert found["zvonar", 50].cpu_us == Spread(6, 9, 20)
    assert found["zvonar", 50].runs == 5
    assert found["zvonar", 50].carried
    assert not found["pyvoip", 500].carried


def test_ratios_are_of_neighbours_only() -> None:
    assert [(ratio.peer, ratio.calls, ratio.times) for ratio in ratios(LINES)] == [
        ("floor", 50, Spread(3 / 9, (4 / 8 + 3 / 9) / 2, 4 / 8)),
        ("pyvoip", 50, Spread(80 / 20, 7, 100 / 10)),
    ]


def test_the_page_and_the_picture_show_each_point() -> None:
    lines = read("\n".join(map(json.dumps, LINES)) + "\n")
    text = page(lines, "On a machine.")
    assert "| zvonar | 50 | 5 | 9.0 (6.0 - 20.0) |" in text
    assert "| pyvoip | 50 | 7.00 (4.00 - 10.00) |" in text
    picture = ElementTree.fromstring(draw(points(lines)))
    dots = [dot for dot in picture.iter(f"{SVG}circle") if float(dot.get("cy", "0")) > 40]
    assert len(dots) == 2 * 5
    assert sum(dot.get("fill") == "none" for dot in dots) == 2  # the one that could not keep up, in both
