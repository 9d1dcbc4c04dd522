"""`zvonar bench service` runs, and tells every figure. How large they are is for people to judge."""

from __future__ import annotations

import json
import subprocess
import sys

from zvonar.bench_report import TARGETS


def test_every_figure_is_told() -> None:
    command = [sys.executable, "-m", "zvonar", "bench", "service", "--json"]
    sizes = ["--calls", "30", "--batch", "10", "--accounts", "2", "--seconds", "0.5"]
    done = subprocess.run([*command, *sizes], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)["sqlite"]
    assert [(row["figure"], row["percentile"]) for row in told["figures"]] == [
        (target.figure, target.percent) for target in TARGETS
    ]
    for row in told["figures"]:
        assert (row["empty"] is None) == (row["figure"] == "poll")  # nobody polls an empty system
        assert row["waiting"] > 0
        assert row["loaded"] > 0
    assert set(told["cpu"]["empty"]) == {"cpu ms a call", "cpu s a thousand creates"}
    assert told["cpu"]["loaded"]["cores used"] > 0
    missed = any(row["met"] is False for row in told["figures"])
    assert done.returncode == int(missed)
