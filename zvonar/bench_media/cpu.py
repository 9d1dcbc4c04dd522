"""Cores, and what a process has used of them. Linux only, like the media plane's figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class Cores(NamedTuple):
    """One for what is measured, one for the rest; the same where the machine has but one."""

    measured: int
    others: int


class Cpu(NamedTuple):
    """Seconds that a process has used, all its threads."""

    user: float
    system: float


def cores() -> Cores:
    """The last two that we may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[-1], allowed[-2] if len(allowed) > 1 else allowed[-1])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What this thread starts in here, processes and their threads, stays on the core. The thread itself comes back."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def spent(pid: int) -> Cpu:
    """User and system seconds. The sum is exact to a µs where the kernel keeps it, their ratio comes from its ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])
    total = 0
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    if total == 0 or user + system == 0:
        return Cpu(user, system)
    share = user / (user + system)
    return Cpu(total / 1e9 * share, total / 1e9 * (1 - share))


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, that a process has used."""
    return sum(spent(pid))


def scheduler(pid: int) -> str:
    """ "fifo" if the kernel granted it, "other" else."""
    return "fifo" if os.sched_getscheduler(pid) == os.SCHED_FIFO else "other"


def ask_for_fifo() -> None:
    """Real-time scheduling for this process, where that is granted."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
