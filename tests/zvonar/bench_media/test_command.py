"""A short run of the real thing. What holds on any machine is checked; how fast it is, is for people to judge."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

KEYS = [
    "design", "calls", "seconds", "cpu_us", "user_us", "system_us", "sent", "lost", "wrong", "late", "refused",
    "pacing_ms", "digits_sent", "digits_found", "scheduler", "far_end_busy",
]  # fmt: skip


def test_the_plane_beside_its_floor() -> None:
    command = [sys.executable, "-m", "zvonar", "bench", "media", "--calls", "20", "--seconds", "2", "--json"]
    run = subprocess.run([*command, "--against", "floor"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["design"] for line in lines] == ["zvonar", "floor"]
    for line in lines:
        assert list(line) == KEYS
        assert (line["wrong"], line["lost"], line["refused"]) == (0, 0, 0), run.stderr
        # A stall of the machine makes the packets fewer, never more than one a call.
        assert 0 < line["sent"] <= 20 * 101
        assert line["cpu_us"] > 0
        assert line["digits_sent"] > 0
        assert line["digits_found"] in ([None] if line["design"] == "floor" else [line["digits_sent"]])
        assert list(line["pacing_ms"]) == ["p50", "p99", "p99_9", "max"]
