"""A process of the bench's own making, on a core, that speaks lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import zvonar
from zvonar.bench_media.cpu import on_core

START_S: Final = 60.0
STOP_S: Final = 5.0
LINE_BYTES: Final = 1 << 22


class BenchError(Exception):
    """This design cannot be measured; one line, for a person."""


class Child:
    """`python -m zvonar.bench_media.MODULE SETTINGS`. `stop` it."""

    def __init__(self, module: str, process: asyncio.subprocess.Process) -> None:
        self._module = module
        self._process = process

    @classmethod
    async def start(cls, module: str, settings: Mapping[str, Any], core: int) -> Child:
        """Start it; its first line is still to be read."""
        paths = [str(Path(zvonar.__path__[0]).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        with on_core(core):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", f"zvonar.bench_media.{module}", json.dumps(settings),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                limit=LINE_BYTES,
                start_new_session=True,  # a terminal's Ctrl-C is the bench's affair
            )  # fmt: skip
        return cls(module, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def told(self, within_s: float = START_S) -> dict[str, Any]:
        """Its next line. BenchError if it is too slow, or gone."""
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), within_s)
        except TimeoutError:
            raise BenchError(f"{self._module} has said nothing for {within_s:.0f} s") from None
        if not line:
            raise BenchError(f"{self._module} ended by itself; its error is above")
        told: dict[str, Any] = json.loads(line)
        return told

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a line, read one. BenchError as above."""
        await self.tell(message)
        return await self.told()

    async def tell(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        try:
            await self._process.stdin.drain()
        except ConnectionError as error:
            raise BenchError(f"{self._module} ended by itself; its error is above") from error

    async def stop(self) -> None:
        """End it: by the end of its input, or else by force."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
