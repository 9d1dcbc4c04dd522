"""The measurements as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from zvonar.bench_media.measure import Line

HEADS = (
    "design", "calls", "CPU s a call-minute", "user", "system", "µs a call and 20 ms", "sent", "lost", "wrong", "late",
    "refused", "pacing ms p50", "p99", "p99.9", "max", "digits", "scheduler", "far end",
)  # fmt: skip
PACKETS_A_MINUTE = 3000


def show(lines: Sequence[Line]) -> None:
    """Print it to the standard output."""
    table = Table(*HEADS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for line in lines:
        table.add_row(*cells(line))
    Console(highlight=False).print(table)


def cells(line: Line) -> list[str]:
    """A row of the table."""
    digits = "-" if line.digits_found is None else f"{line.digits_found}/{line.digits_sent}"
    return [
        line.design,
        str(line.calls),
        *(_minute(value) for value in (line.cpu_us, line.user_us, line.system_us)),
        _number(line.cpu_us, 1),
        *(str(count) for count in (line.sent, line.lost, line.wrong, line.late, line.refused)),
        *(_number(value, 2) for value in line.pacing_ms.values()),
        digits,
        line.scheduler,
        f"{line.far_end_busy:.0%}",
    ]


def _minute(value: float | None) -> str:
    return _number(None if value is None else value * PACKETS_A_MINUTE / 1e6, 3)


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
