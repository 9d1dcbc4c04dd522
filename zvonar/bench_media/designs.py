"""What can be measured: each carries calls between the far end's ports and its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zvonar.bench_media.child import Child
from zvonar.bench_media.cpu import favour


@dataclass(frozen=True, slots=True)
class Task:
    """One run: how many calls, the share that listens for voice, the core, and the files of `clip` in a folder."""

    calls: int
    listening: float
    core: int
    folder: Path

    def hears(self, index: int) -> bool:
        """Whether this call is heard for voice; they are spread over all."""
        return int((index + 1) * self.listening) > int(index * self.listening)

    @property
    def clip(self) -> str:
        return str(self.folder / "clip.npy")

    def speech(self, payload_type: int) -> str:
        return str(self.folder / f"speech-{payload_type}.npy")


@dataclass(frozen=True, slots=True)
class Found:
    """What a design says of itself at the end; None where it does not count."""

    digits: int | None
    received: int | None


class Design(Protocol):
    """Opened once, closed whatever happens."""

    payload_type: int

    @property
    def pid(self) -> int:
        """Of the process whose CPU counts."""

    async def open(self, far_ports: Sequence[int]) -> list[int]:
        """Begin all calls; its port for each of them, 0 for one that it refused. BenchError if it cannot be had."""

    def given_up(self) -> Collection[int]:
        """The calls that it has ended by itself so far, by index."""

    async def finish(self) -> Found:
        """End the calls, after the far end has fallen silent."""

    async def close(self) -> None:
        """End the process."""


class ChildDesign:
    """A peer of one of our own files."""

    def __init__(self, module: str, task: Task, phases: int = 1, payload_type: int = 8) -> None:
        self._module = module
        self._task = task
        self._phases = phases
        self._child: Child | None = None
        self.payload_type = payload_type

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    async def open(self, far_ports: Sequence[int]) -> list[int]:
        settings = {
            "far_ports": far_ports,
            "clip": self._task.clip,
            "phases": self._phases,
            "payload_type": self.payload_type,
            "heard": [self._task.hears(index) for index in range(len(far_ports))],
        }
        self._child = await Child.start(f"peers.{self._module}", settings, self._task.core)
        favour(self._child.pid)
        ports: list[int] = (await self._child.told())["ports"]
        return ports

    def given_up(self) -> Collection[int]:
        return ()

    async def finish(self) -> Found:
        assert self._child is not None
        return Found(**await self._child.ask({"finish": True}))

    async def close(self) -> None:
        if self._child is not None:
            await self._child.stop()
