"""The measurements as a table of plain text, which is the same on a screen, in a file and in the docs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zvonar.bench_media.measure import Line

# of two rows: what is told, and in what
HEADS: Final = (
    ("", "design"),
    ("", "calls"),
    ("CPU s a", "call-min"),
    ("", "user"),
    ("", "system"),
    ("µs a call", "and 20 ms"),
    ("packets", "sent"),
    ("", "lost"),
    ("", "wrong"),
    ("", "late"),
    ("calls", "refused"),
    ("pacing", "p50 ms"),
    ("", "p99"),
    ("", "p99.9"),
    ("", "max"),
    ("digits", "found"),
    ("", "sent"),
    ("sched-", "uler"),
    ("far end", "busy"),
)
CALL_MINUTE: Final = 3000  # packets each way


def table(lines: Sequence[Line]) -> str:
    """A row for each measurement, in their order."""
    rows = [*zip(*HEADS, strict=True), *map(cells, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )


def cells(line: Line) -> tuple[str, ...]:
    """A row of the table."""
    return (
        line.design,
        str(line.calls),
        *(_number(_minute(value), 3) for value in (line.cpu_us, line.user_us, line.system_us)),
        _number(line.cpu_us, 2),
        *map(str, (line.sent, line.lost, line.wrong, line.late, line.refused)),
        *(_number(value, 2) for value in line.pacing_ms.values()),
        "-" if line.digits_found is None else str(line.digits_found),
        str(line.digits_sent),
        line.scheduler,
        f"{line.far_end_busy:.0%}",
    )


def _minute(value: float) -> float:
    """CPU seconds a call and minute, of µs a call and 20 ms."""
    return value * CALL_MINUTE / 1e6


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
