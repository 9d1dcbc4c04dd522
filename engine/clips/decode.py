"""Decodes bytes of strangers, each file in a process of its own (`engine.clips.decoder`) whose end has a deadline."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import structlog

import engine
from engine.clips.container import Container, recognise
from engine.clips.refusal import ClipRefused, Reason
from engine.clips.wav import Samples

DEADLINE_S: Final = 60.0  # and a tenth of what may be long; the child has a limit of its own, on what it computes
WAIT_S: Final = 60.0
AT_ONCE: Final = 2  # calls need the other cores

_places = threading.BoundedSemaphore(AT_ONCE)
_log = structlog.get_logger("zvonar.clips")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A sound as it was sent, but for its rate and its channels."""

    samples: Samples  # 8 kHz, one channel, about -1 to 1: resampling overshoots
    clipped: float  # the share of the sound that was clipped at its source, 0 to 1; 0 if that is not heard


def decode(content: bytes, max_s: int) -> Decoded:
    """The sound of a file of any known container. Blocks; from any thread. ClipRefused; OSError of the machine."""
    if not content:
        raise ClipRefused(Reason.EMPTY)
    container = recognise(content)
    if container is None:
        raise ClipRefused(Reason.NOT_AUDIO)
    if not _places.acquire(timeout=WAIT_S):
        raise ClipRefused(Reason.BUSY)
    try:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as taken:
            given.write(content)
            given.seek(0)
            status = _run(container, max_s, given, taken)
            taken.seek(0)
            return _answer(status, taken.readline(4096), taken)
    finally:
        _places.release()


def _run(container: Container, max_s: int, given: IO[bytes], taken: IO[bytes]) -> int:
    """The status of a child that decoded; it is dead then, and all that it started."""
    # -P: a folder named `engine` where the user happens to stand is not ours.
    command = [sys.executable, "-P", "-m", "engine.clips.decoder", container.value, str(max_s)]
    child = subprocess.Popen(
        command, stdin=given, stdout=taken, stderr=subprocess.DEVNULL, env=_environment(), start_new_session=True
    )
    try:
        return child.wait(DEADLINE_S + max_s / 10)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _environment() -> dict[str, str]:
    """What Python needs to start, and no secrets."""
    root = str(Path(engine.__path__[0]).parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": os.pathsep.join(paths),
        "OPENBLAS_NUM_THREADS": "1",  # each thread would reserve address space, and none is used
    }


def _answer(status: int, line: bytes, samples: IO[bytes]) -> Decoded:
    if status in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        raise OSError(status, os.strerror(status))
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError:
        answer = {"failed": f"died with status {status}"}
    if "failed" in answer:
        _log.warning("clip_decoder_failed", reason=answer["failed"])
        raise ClipRefused(Reason.UNDECODABLE)
    if "refused" in answer:
        raise ClipRefused(Reason(answer["refused"]), **answer["params"])
    return Decoded(np.frombuffer(samples.read(), "<f4"), float(answer["clipped"]))
