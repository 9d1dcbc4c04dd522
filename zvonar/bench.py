"""`zvonar bench`: how much this machine holds, on the sandbox, over loopback.

Both ends of every call run here, so half of the work is the subscribers'. The figure that travels to another machine
is a ratio: CPU seconds a call beside the CPU seconds that the same machine takes for a fixed piece of arithmetic.
"""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from engine.config import Config, MediaConfig
from engine.dial import Dial
from engine.engine import Engine
from engine.ongoing import OngoingCall
from zvonar import log

SCRIPT = Path(str(files("configs") / "scripts" / "appointment" / "appointment.yaml"))
CALLEE = "79990000001"  # answers, listens, presses 1
_YARDSTICK_ROUNDS = 200


def calls(*, rate: float, seconds: float, as_json: bool) -> int:
    """Start `rate` calls a second for so long; exit status 1 if any of them failed."""
    log.configure(quiet=True)
    told = asyncio.run(_calls(rate, seconds, show=not as_json))
    if as_json:
        print(json.dumps(told))
    else:
        console = Console(highlight=False)
        for name, value in told.items():
            console.print(f"{name:<28}{value}")
    return 0 if told["failed"] == 0 else 1


async def _calls(rate: float, seconds: float, *, show: bool) -> dict[str, Any]:
    total = max(1, round(rate * seconds))
    ongoing: set[OngoingCall] = set()
    results: list[dict[str, Any]] = []
    peak = 0
    yardstick = _yardstick()
    async with Engine.open(Config(media=MediaConfig(calls=500))) as engine:
        cpu_before, began = _cpu_s(), time.monotonic()
        with Progress(disable=not show) as progress:
            bar = progress.add_task(f"{total} calls, {rate:g} a second", total=total)

            async def finish(call: OngoingCall) -> None:
                results.append(await call.result())
                ongoing.discard(call)
                progress.advance(bar)

            async with asyncio.TaskGroup() as group:
                for number in range(total):
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                    call = await engine.dial(Dial(to=CALLEE, script=SCRIPT))
                    ongoing.add(call)
                    peak = max(peak, len(ongoing))
                    group.create_task(finish(call))
        await asyncio.sleep(0.2)
        left = {name: count for name, count in engine.census().items() if count}
    cpu_s = _cpu_s() - cpu_before  # the media process counts once it is reaped
    good = [result for result in results if result["disposition"] == "answered" and result["answers"] == ["1"]]
    return {
        "calls": total,
        "failed": total - len(good),
        "how": dict(Counter(result["disposition"] for result in results)),
        "at once": peak,
        "left open": left,
        "cpu ms a call, both ends": round(1000 * cpu_s / total, 1),
        "cpu us a leg and 20 ms": round(1e6 * cpu_s / sum(_frames(result) * 2 for result in results), 1),
        "ratio to yardstick": round(cpu_s / total / yardstick, 3),
    }


def _frames(result: dict[str, Any]) -> float:
    return max(1.0, float(result["duration_ms"]) / 20)


def _cpu_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _yardstick() -> float:
    """CPU seconds of a fixed piece of arithmetic on this machine, the median of some."""
    frames = np.random.default_rng(1).integers(-3000, 3000, (500, 160)).astype(np.float32)
    took = []
    for _ in range(_YARDSTICK_ROUNDS):
        began = time.process_time()
        np.sort(frames, axis=1).sum()
        took.append(time.process_time() - began)
    return median(took)
