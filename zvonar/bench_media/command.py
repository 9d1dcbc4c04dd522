"""`zvonar bench media`: which designs with how many calls, one after another, and what is printed of it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np

from engine.media.g711 import PAYLOAD_TYPES
from engine.media.pacer import phases_of
from zvonar.bench_media import clip
from zvonar.bench_media.child import BenchError
from zvonar.bench_media.cpu import Cores, cores
from zvonar.bench_media.designs import ChildDesign, Design, Task
from zvonar.bench_media.measure import Line, Measured, measure
from zvonar.bench_media.peers.asterisk import AsteriskDesign
from zvonar.bench_media.peers.seat import raise_limit
from zvonar.bench_media.plane_design import PlaneDesign
from zvonar.bench_media.table import table

SPEECH: Final = Path(str(files("configs") / "scripts" / "appointment" / "greeting.wav"))
PEERS: Final[dict[str, Callable[[Task], Design]]] = {
    "floor": lambda task: ChildDesign("floor", task, phases=_phases(task.calls)),
    "asyncio": lambda task: ChildDesign("coroutines", task),
    "pyvoip": lambda task: ChildDesign("pyvoip", task, payload_type=0),
    "asterisk": AsteriskDesign,
}


def media(*, calls: Sequence[int], seconds: float, listening: float, against: Sequence[str], as_json: bool) -> int:
    """Measure and print; exit status 1 if nothing could be measured."""
    logging.getLogger("zvonar").setLevel(logging.ERROR)
    raise_limit()
    used = cores()
    _note(f"what is measured has core {used.measured}, the far end and this bench have core {used.others}")
    if used.measured == used.others:
        _note("there is one core only: the far end takes from what is measured")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        _prepare(Path(folder))
        for count in calls:
            for turn in turns(against):
                with _alone():
                    task = Task(count, listening, used.measured, Path(folder))
                    lines += [line for name in turn for line in _run(name, task, seconds, used, as_json=as_json)]
    if lines and not as_json:
        print(table(lines))
    return 0 if lines else 1


def turns(against: Sequence[str]) -> list[tuple[str, ...]]:
    """The plane before each peer, so that a ratio is of neighbours in time."""
    return [("zvonar", peer) for peer in against] or [("zvonar",)]


@contextmanager
def _alone() -> Iterator[None]:
    """Two benches at once would measure each other: they take turns."""
    with (Path(tempfile.gettempdir()) / f"zvonar-bench-media-{os.getuid()}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _note("another bench media runs on this machine; waiting for our turn")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(name: str, task: Task, seconds: float, used: Cores, *, as_json: bool) -> Iterator[Line]:
    """The line of one measurement, told at once; none if it cannot be made."""
    _note(f"{name}, {task.calls} calls, {seconds:g} s ...")
    try:
        measured = asyncio.run(_measure(name, task, seconds, used))
    except BenchError as error:
        _note(f"{name}, {task.calls} calls: not measured: {error}")
        return
    _tell(measured, as_json=as_json)
    yield measured.line


async def _measure(name: str, task: Task, seconds: float, used: Cores) -> Measured:
    design = PlaneDesign(task) if name == "zvonar" else PEERS[name](task)
    return await measure(name, design, task, seconds, used)


def _tell(measured: Measured, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(measured.line.json()), flush=True)
    if measured.line.design == "zvonar" and measured.line.scheduler != "fifo":
        _note("SCHED_FIFO was not granted: whatever else runs on this core delays packets")
    for remark in measured.remarks:
        _note(remark)


def _prepare(folder: Path) -> None:
    np.save(folder / "clip.npy", clip.frames())
    for payload_type, law in PAYLOAD_TYPES.items():
        np.save(folder / f"speech-{payload_type}.npy", clip.speech(SPEECH, folder, law))


def _phases(calls: int) -> int:
    return len(phases_of(calls))


def _note(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
