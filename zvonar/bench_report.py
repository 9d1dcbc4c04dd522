"""What `zvonar bench service` found: figures beside their targets, and in ratios to the empty system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Stage:
    """What was measured in one stage, in ms; `lost` digits brought no prompt."""

    times_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    lost: int = 0

    def add(self, figure: str, *times_ms: float) -> None:
        """More of one figure."""
        self.times_ms.setdefault(figure, []).extend(times_ms)

    def of(self, figure: str) -> list[float]:
        """All of it."""
        return self.times_ms.get(figure, [])


class Target(NamedTuple):
    """A promise: this quantile of a figure, in ms at most; `empty_ms` where it is a smaller one while nothing goes on.

    It holds with many calls waiting and many accounts polling; `loaded`: also while creates and gets of thousands of
    calls follow one another without a pause.
    """

    figure: str
    name: str  # {batch} is how many
    percent: float  # 100: the slowest
    most_ms: float | None = None
    empty_ms: float | None = None
    loaded: bool = False

    def of(self, stage: Stage) -> float | None:
        """Its value; None if it was not measured."""
        times = stage.of(self.figure)
        return float(np.percentile(times, self.percent)) if times else None

    def most(self, stage: str) -> float | None:
        """What is promised in that stage."""
        if stage == "loaded" and not self.loaded:
            return None
        return self.empty_ms if stage == "empty" and self.empty_ms is not None else self.most_ms


TARGETS: Final = (
    Target("create many", "create of {batch}, median", 50),
    Target("create many", "create of {batch}, slowest", 100, 1000),
    Target("get many", "get of {batch}, median", 50),
    Target("get many", "get of {batch}, slowest", 100, 1000),
    Target("create", "create of 1, median", 50),
    Target("create", "create of 1, p99", 99),
    Target("poll", "get of an account that polls, median", 50),
    Target("poll", "get of an account that polls, p99", 99),
    Target("invite", "request to INVITE, median", 50),
    Target("invite", "request to INVITE, p99", 99, 100),
    Target("digit", "digit to prompt, median", 50),
    Target("digit", "digit to prompt, p95", 95, 60, 40, loaded=True),
)


def verdict(stages: Mapping[str, Stage]) -> dict[str, Any]:
    """The figures for programs: by stage in ms, the ratio of the last stage to the first, and whether it is met."""
    figures = []
    for target in TARGETS:
        values = {name: target.of(stage) for name, stage in stages.items()}
        judged = [(value, most) for name, value in values.items() if value is not None and (most := target.most(name))]
        first, last = values[next(iter(values))], values[next(reversed(values))]
        figures.append({
            "figure": target.figure, "percentile": target.percent,
            **{name: None if value is None else round(value, 2) for name, value in values.items()},
            "ratio": round(last / first, 2) if first and last else None,
            "target": target.most_ms, "met": all(value <= most for value, most in judged) if judged else None,
        })  # fmt: skip
    return {
        "figures": figures,
        "counts": {name: {key: len(times) for key, times in stage.times_ms.items()} for name, stage in stages.items()},
        "lost": {name: stage.lost for name, stage in stages.items()},
        "cpu": {name: {key: round(value, 4) for key, value in stage.cpu.items()} for name, stage in stages.items()},
    }


def show(console: Console, store: str, batch: int, stages: Mapping[str, Stage]) -> None:
    """The table for people."""
    told = verdict(stages)
    table = Table("ms", *stages, "ratio", "target", "met", title=store, title_justify="left", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for target, row in zip(TARGETS, told["figures"], strict=True):
        promised = "" if target.most_ms is None else f"{target.most_ms:g}"
        if target.empty_ms is not None:
            promised += f" ({target.empty_ms:g} empty)"
        met = {True: "[green]yes", False: "[red]NO", None: ""}[row["met"]]
        values = ["" if row[name] is None else f"{row[name]:.1f}" for name in stages]
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        table.add_row(target.name.format(batch=batch), *values, ratio, promised, met)
    console.print(table)
    for name, counted in told["counts"].items():
        cpu = "; ".join(f"{key} {value:g}" for key, value in told["cpu"][name].items())
        times = ", ".join(f"{key} {count}" for key, count in counted.items())
        console.print(f"{name}: {times}; digits without an answer {told['lost'][name]}; {cpu}")
