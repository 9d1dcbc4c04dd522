"""Nodes: the processes that place calls from this store, and which of them are dead.

A node beats every `BEAT_S`; one silent for `DEAD_AFTER_S` is dead. One on the same host whose process is gone is
dead at once, so that a restart after a crash need not wait.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from api.store.schema import nodes

BEAT_S = 2.0
DEAD_AFTER_S = 8.0


class Process(NamedTuple):
    """A process, so that another one which got the same number later is not taken for it."""

    host: str  # where process ids mean the same: the machine's boot and the namespace of process ids
    pid: int
    born: str


@dataclass(frozen=True, slots=True)
class Known:
    """A node as the store knows it. `trunks`: name -> {up, reason, at} of those that register."""

    id: str
    beat_at: float
    version: str
    trunks: dict[str, dict[str, Any]]


def register(db: Connection, now: float) -> str:
    """This process becomes a node; its name."""
    name = f"{socket.gethostname()[:20]}-{secrets.token_hex(6)}"
    host, pid, born = myself()
    row = {"id": name, "host": host, "pid": pid, "born": born, "beat_at": now, "version": version("zvonar")[:40]}
    db.execute(insert(nodes).values(row))
    return name


def beat(db: Connection, node: str, now: float, trunks: Mapping[str, Mapping[str, Any]] | None = None) -> bool:
    """Say that the node lives, and what has come of its registrations; false if others have taken it for dead."""
    told: dict[str, Any] = {"beat_at": now} if trunks is None else {"beat_at": now, "trunks": trunks}
    return db.execute(update(nodes).where(nodes.c.id == node).values(told)).rowcount == 1


def every(db: Connection) -> list[Known]:
    """All nodes that have not left, by name."""
    told = select(nodes.c.id, nodes.c.beat_at, nodes.c.version, nodes.c.trunks).order_by(nodes.c.id)
    return [Known(row.id, row.beat_at, row.version, row.trunks or {}) for row in db.execute(told)]


def leave(db: Connection, node: str) -> None:
    """The node is no more."""
    db.execute(delete(nodes).where(nodes.c.id == node))


def dead(db: Connection, now: float) -> list[str]:
    """The nodes that are dead."""
    return [
        row.id
        for row in db.execute(select(nodes))
        if now - row.beat_at > DEAD_AFTER_S or _gone(Process(row.host, row.pid, row.born))
    ]


def myself() -> Process:
    """This process."""
    pid = os.getpid()
    return Process(_host(), pid, _born(pid) or "")


def _host() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _gone(process: Process) -> bool:
    if process.host != _host():
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    born = _born(process.pid)
    return born is not None and process.born not in ("", born)


def _born(pid: int) -> str | None:
    """When the process began, in ticks since boot (proc(5), stat field 22); None where that cannot be known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the command's name before it may hold anything
    if fields[0] == "Z":
        return "ended"  # dead, only its parent has not looked yet
    return fields[19]
