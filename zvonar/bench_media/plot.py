"""Two drawings in one SVG: calls against CPU, and against pacing. Pure; it suits a light and a dark page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from zvonar.bench_media.repeats import DESIGNS, Point, Spread

WIDTH: Final = 920
HEIGHT: Final = 400
LEFT: Final = 56
TOP: Final = 58
PLOT_WIDTH: Final = 370
PLOT_HEIGHT: Final = 280
GAP: Final = 92  # between the two
CALLS: Final = (50, 100, 200, 500, 1000, 2000)
COLOURS: Final = dict(zip(DESIGNS, ("#2f9e44", "#868e96", "#1c7ed6", "#e8590c", "#c2255c"), strict=True))

STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #495057; }
.title { font-size: 13px; font-weight: 600; fill: #212529; }
.grid { stroke: #868e96; stroke-opacity: .28; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.range { stroke-width: 1.5; stroke-opacity: .6; }
@media (prefers-color-scheme: dark) { text { fill: #adb5bd; } .title { fill: #f1f3f5; } }
"""


class Axis(NamedTuple):
    """A logarithmic one: where a value lies, 0 to 1, and which values are named."""

    marks: Sequence[float]

    def at(self, value: float) -> float:
        low, high = math.log(self.marks[0]), math.log(self.marks[-1])
        return (math.log(min(max(value, self.marks[0]), self.marks[-1])) - low) / (high - low)


class Panel(NamedTuple):
    """One drawing."""

    title: str
    left: float
    axis: Axis
    figure: Callable[[Point], Spread]

    def x(self, calls: int) -> float:
        return self.left + PLOT_WIDTH * Axis(CALLS).at(calls)

    def y(self, value: float) -> float:
        return TOP + PLOT_HEIGHT * (1 - self.axis.at(value))


PANELS: Final = (
    Panel("CPU, µs a call and 20 ms", LEFT, Axis((2, 5, 10, 20, 50, 100)), lambda point: point.cpu_us),
    Panel(
        "Pacing error at the receiver, 99th percentile, ms",
        LEFT + PLOT_WIDTH + GAP,
        Axis((0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 1000)),
        lambda point: point.p99_ms,
    ),
)


def draw(points: Sequence[Point]) -> str:
    """The SVG's text. A hollow dot is a design that could not keep up; a bar is the range over the repeats."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-label="CPU and pacing of the media plane and of its peers, against the number of calls">',
        f"<style>{STYLE}</style>",
        *_legend([name for name in DESIGNS if any(point.design == name for point in points)]),
        *(part for panel in PANELS for part in _panel(panel, points)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend(names: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        x = LEFT + index * 96
        yield f'<circle cx="{x}" cy="16" r="4" fill="{COLOURS[name]}"/><text x="{x + 9}" y="20">{name}</text>'
    x = LEFT + len(names) * 96
    yield f'<circle cx="{x}" cy="16" r="3.5" fill="none" stroke="#868e96" stroke-width="1.5"/>'
    yield f'<text x="{x + 9}" y="20">could not keep up</text>'


def _panel(panel: Panel, points: Sequence[Point]) -> Iterator[str]:
    right, bottom = panel.left + PLOT_WIDTH, TOP + PLOT_HEIGHT
    yield f'<text class="title" x="{panel.left}" y="{TOP - 12}">{panel.title}</text>'
    for value in panel.axis.marks:
        y = panel.y(value)
        yield f'<line class="grid" x1="{panel.left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
        yield f'<text x="{panel.left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    for calls in CALLS:
        yield f'<text x="{panel.x(calls):.1f}" y="{bottom + 20}" text-anchor="middle">{calls}</text>'
    yield f'<text x="{panel.left + PLOT_WIDTH / 2}" y="{bottom + 40}" text-anchor="middle">calls at once</text>'
    for design in reversed(DESIGNS):  # the plane on top
        yield from _curve(panel, COLOURS[design], [point for point in points if point.design == design])


def _curve(panel: Panel, colour: str, points: Sequence[Point]) -> Iterator[str]:
    places = [(panel.x(point.calls), panel.y(panel.figure(point).middle), point) for point in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    yield f'<polyline class="line" stroke="{colour}" points="{path}"/>'
    for x, y, point in places:
        spread = panel.figure(point)
        low, high = panel.y(spread.least), panel.y(spread.most)
        yield f'<line class="range" stroke="{colour}" x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}"/>'
        fill = colour if point.carried else "none"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'
