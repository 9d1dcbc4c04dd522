"""Cores, and what a process has used of them. Linux only, like the media plane's figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

FIRST: Final = -20  # the highest priority of ordinary processes


class Cores(NamedTuple):
    """One for what is measured, one for the rest; the same where the machine has but one."""

    measured: int
    others: int


class Cpu(NamedTuple):
    """What a process has used since it began, all its threads; two of them give what it used between.

    The whole is exact; user and system are samples of the kernel's tick (CONFIG_TICK_CPU_ACCOUNTING), which, for a
    process that works at the same moments of each 20 ms, tell their ratio roughly.
    """

    total: float  # seconds
    user: float
    system: float

    def since(self, before: Cpu) -> Cpu:
        """What was used between, user and system scaled to the whole."""
        total, user, system = self.total - before.total, self.user - before.user, self.system - before.system
        share = user / (user + system) if user + system > 0 else 1.0
        return Cpu(total, total * share, total * (1 - share))


class Core(NamedTuple):
    """What became of a core's time since the machine began, in seconds; the fields of proc_stat(5)."""

    busy: float
    stolen: float  # by the hypervisor, for other machines

    def since(self, before: Core) -> Core:
        """What happened between."""
        return Core(self.busy - before.busy, self.stolen - before.stolen)


def core_time(core: int) -> Core:
    """Of this core, until now."""
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _, _, irq, soft_irq, stolen = (
        int(field) / os.sysconf("SC_CLK_TCK") for field in line.split()[1:9]
    )
    return Core(user + nice + system + irq + soft_irq, stolen)


def cores() -> Cores:
    """The last two that we may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[-1], allowed[-2] if len(allowed) > 1 else allowed[-1])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What this thread starts in here, processes and their threads, stays on the core, and goes before its neighbours.

    The thread itself comes back. The priority, where it is granted (see `favour` too), keeps neighbours out of the
    figures of designs that do not ask for real-time scheduling.
    """
    cores_before, nice_before = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
    os.sched_setaffinity(0, {core})
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores_before)
        os.setpriority(os.PRIO_PROCESS, 0, nice_before)


def favour(pid: int) -> None:
    """Where the kernel groups processes by their sessions (sched(7), autogroup), the priority is the group's."""
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(FIRST))


def spent(pid: int) -> Cpu:
    """What the process has used so far. OSError if it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])
    total_ns = 0
    with suppress(OSError):  # a kernel without, or a thread that ended meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total_ns += int((thread / "schedstat").read_text().split()[0])
    return Cpu(total_ns / 1e9 or user + system, user, system)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, the threads that ended too."""
    used = spent(pid)
    return used.user + used.system


def scheduler(pid: int) -> str:
    """ "fifo" if the kernel granted it, "other" else."""
    return "fifo" if os.sched_getscheduler(pid) == os.SCHED_FIFO else "other"


def ask_for_fifo() -> None:
    """Real-time scheduling for this process, where that is granted."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
