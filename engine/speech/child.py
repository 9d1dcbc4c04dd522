"""Runs a synthesiser: a child of its own group with little environment, bounded in time, processor, memory and disk."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
from pathlib import Path
from typing import Final

import engine
from engine.speech.error import SpeechError
from engine.speech.voice import Command

MAX_MEMORY_BYTES: Final = 4 << 30  # of addresses; onnxruntime maps more than it uses
MAX_FILE_BYTES: Final = 128 << 20  # ten minutes of 48 kHz are 58 MB
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")  # no secrets
_ROOT = str(Path(engine.__path__[0]).parent)  # a child of ours finds our modules, wherever the user stands
_SHOWN = 200  # characters of what it complained


def run(command: Command, voice: str, timeout_s: float, folder: Path) -> None:
    """Run it to its end in `folder`; whatever it leaves running is killed. SpeechError."""
    complaint = folder / "stderr"
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
    environment["PYTHONPATH"] = os.pathsep.join([_ROOT, *filter(None, [environment.get("PYTHONPATH")])])
    with complaint.open("wb") as stderr:
        try:
            child = subprocess.Popen(
                command.argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr, cwd=folder,
                env=environment, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise SpeechError(
                "speech_missing", voice=voice, reason=getattr(error, "strerror", None) or error
            ) from error
        try:
            _bound(child.pid, timeout_s)
            child.communicate(command.stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise SpeechError("speech_timed_out", voice=voice, seconds=timeout_s) from error
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode:
        raise SpeechError("speech_failed", voice=voice, reason=_reason(child.returncode, complaint))


def _bound(pid: int, timeout_s: float) -> None:
    """Limits that a program cannot raise; from outside, since code between fork and exec and threads do not agree."""
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:  # not Linux
        return
    cpu_s = int(timeout_s) * 2 + 2  # several threads use more than the wall's time
    for limit, high in (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # it is over already, or bounded lower
            prlimit(pid, limit, (high, high))


def _reason(status: int, complaint: Path) -> str:
    if status < 0:
        return f"killed by signal {-status}"
    with complaint.open("rb") as reader:
        reader.seek(max(0, complaint.stat().st_size - 4 * _SHOWN))
        lines = [line.strip() for line in reader.read().decode("utf-8", "replace").splitlines() if line.strip()]
    said = "".join(character if character.isprintable() else " " for character in lines[-1]) if lines else ""
    return f"exit status {status}{': ' if said else ''}{said[:_SHOWN]}"
