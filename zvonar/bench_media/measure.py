"""One measurement: a design, so many calls, one window."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from zvonar.bench_media.child import BenchError, Child
from zvonar.bench_media.cpu import Core, Cores, core_time, scheduler, spent
from zvonar.bench_media.designs import Design, Task
from zvonar.bench_media.pacing import FRAME_MS

WARM_UP_S: Final = 1.5
SETTLE_ROUNDS: Final = 10  # of that, at most
AFTER_S: Final = 0.2  # for the last digits to come up
BUSY: Final = 0.85
LAG_MS: Final = 20.0
OTHERS: Final = 0.05
STOLEN: Final = 0.005


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of a measurement; the field names are the JSON's."""

    design: str
    calls: int
    seconds: float
    cpu_us: float  # user and system, per call and 20 ms
    user_us: float
    system_us: float
    sent: int
    lost: int
    wrong: int
    late: int
    refused: int
    pacing_ms: dict[str, float | None]
    digits_sent: int
    digits_found: int | None
    scheduler: str
    far_end_busy: float

    def json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """A line, and what a person should know beside it."""

    line: Line
    remarks: tuple[str, ...]


async def measure(name: str, design: Design, task: Task, seconds: float, cores: Cores) -> Measured:
    """Run it. BenchError if the design cannot be had, or does not live to its end."""
    try:
        return await _measure(name, design, task, seconds, cores)
    except ProcessLookupError as error:
        raise BenchError(f"{name} has died") from error
    except FileNotFoundError as error:
        if not str(error.filename).startswith("/proc/"):
            raise
        raise BenchError(f"{name} has died") from error


async def _measure(name: str, design: Design, task: Task, seconds: float, cores: Cores) -> Measured:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(design.close)
        far_end = await Child.start(
            "far_end",
            {
                "calls": task.calls,
                "clip": task.clip,
                "speech": task.speech(design.payload_type),
                "payload_type": design.payload_type,
            },
            cores.others,
        )
        stack.push_async_callback(far_end.stop)
        ports = await design.open((await far_end.told())["ports"])
        await far_end.ask({"connect": ports})
        await _settled(design)
        refused = {call for call, port in enumerate(ports) if not port} | set(design.given_up())
        if len(refused) == task.calls:
            raise BenchError(f"{name} refused every call")
        await far_end.ask({"measure": seconds, "without": sorted(refused)})
        pid = design.pid
        began, cpu, core, unread = time.monotonic(), spent(design.pid), core_time(task.core), _drops(ports)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        if design.pid != pid:
            raise BenchError(f"{name} has died")
        core = core_time(task.core).since(core)
        took, used, unread = time.monotonic() - began, spent(design.pid).since(cpu), _drops(ports) - unread
        shed = len(set(design.given_up()) - refused)
        told = await far_end.told()
        class_ = scheduler(design.pid)
        sent = (await far_end.ask({"hush": True}))["sent"]
        await asyncio.sleep(AFTER_S)
        found = await design.finish()
    frames = (task.calls - len(refused)) * took * 1000 / FRAME_MS
    cpu_us, user_us, system_us = (round(each * 1e6 / frames, 3) for each in used)
    line = Line(
        design=name,
        calls=task.calls,
        seconds=seconds,
        cpu_us=cpu_us,
        user_us=user_us,
        system_us=system_us,
        sent=told["sent"],
        lost=told["lost"] + unread,
        wrong=told["wrong"],
        late=told["late"],
        refused=len(refused),
        pacing_ms=told["pacing_ms"],
        digits_sent=told["digits_sent"],
        digits_found=found.digits,
        scheduler=class_,
        far_end_busy=told["busy"],
    )
    remarks = [*_neighbours(core, used.total, took), *_far_end(told)]
    if unread:
        remarks.append(f"{name} was too slow to read {unread} packets: its queues were full")
    if shed:
        remarks.append(f"{name} gave up {shed} calls in the window; what they lack counts as lost or late")
    if found.received is not None and not refused and not shed and found.received < sent - unread:
        remarks.append(f"{name} counted {found.received} of the {sent} packets sent to it")
    return Measured(line, tuple(remarks))


async def _settled(design: Design) -> None:
    """Warm, and no longer giving up calls because it was opened with too many."""
    for _ in range(SETTLE_ROUNDS):
        before = len(design.given_up())
        await asyncio.sleep(WARM_UP_S)
        if len(design.given_up()) == before:
            return


def _neighbours(core: Core, used_s: float, took_s: float) -> Iterator[str]:
    """What else took the core: then the pacing is of the machine as much as of the design."""
    others, stolen = (core.busy - used_s) / took_s, core.stolen / took_s
    if others > OTHERS:
        yield f"other programs had {others:.0%} of the core meanwhile"
    if stolen > STOLEN:
        yield f"the hypervisor took {stolen:.1%} of the core meanwhile"


def _far_end(told: dict[str, Any]) -> Iterator[str]:
    """Was it the bottleneck?"""
    if told["busy"] > BUSY:
        yield f"the far end was {told['busy']:.0%} busy: it may have been the bottleneck"
    if told["dropped"]:
        yield f"the far end had no room for {told['dropped']} packets: it was the bottleneck"
    if told["lag_ms"] > LAG_MS:
        yield f"the far end was kept from its work for up to {told['lag_ms']:.0f} ms"


def _drops(ports: Collection[int]) -> int:
    """Packets that the queues of these ports of ours had no room for, as the kernel counts them."""
    wanted = {f"{port:04X}" for port in ports if port}
    rows = re.findall(r"^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) .* (\d+) *$", Path("/proc/net/udp").read_text(), re.M)
    return sum(int(drops) for port, drops in rows if port in wanted)
