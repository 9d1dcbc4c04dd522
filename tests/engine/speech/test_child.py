"""Running a synthesiser: it ends in time, whatever it does, and leaves nothing running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from engine.speech import child
from engine.speech.error import SpeechError
from engine.speech.voice import Command


def python(code: str) -> Command:
    return Command((sys.executable, "-c", code), b"text")


def fails(command: Command, folder: Path, timeout_s: float = 5) -> SpeechError:
    with pytest.raises(SpeechError) as caught:
        child.run(command, "test anna", timeout_s, folder)
    assert len(str(caught.value).splitlines()) == 1
    assert "test anna" in str(caught.value)
    return caught.value


def test_one_that_is_not_there(tmp_path: Path) -> None:
    error = fails(Command(("/no/such/program",), b""), tmp_path)
    assert (error.code, error.params["reason"]) == ("speech_missing", "No such file or directory")


def test_one_that_fails_says_why(tmp_path: Path) -> None:
    error = fails(python("import sys; sys.exit('no voice\\x07 here')"), tmp_path)
    assert error.code == "speech_failed"
    assert error.params["reason"] == "exit status 1: no voice  here"


def test_one_that_is_killed(tmp_path: Path) -> None:
    error = fails(python("import os; os.kill(os.getpid(), 11)"), tmp_path)
    assert (error.code, error.params["reason"]) == ("speech_failed", "killed by signal 11")


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    hang = f"""
import os, pathlib, subprocess, time
child = subprocess.Popen(["sleep", "60"])
pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
time.sleep(60)
"""
    began = time.monotonic()
    error = fails(python(hang), tmp_path, timeout_s=1)
    assert error.code == "speech_timed_out"
    assert time.monotonic() - began < 5
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_it_leaves_running_is_killed(tmp_path: Path) -> None:
    leave = (
        f"import subprocess; print(subprocess.Popen(['sleep', '60']).pid, file=open({str(tmp_path / 'pid')!r}, 'w'))"
    )
    child.run(python(leave), "test", 5, tmp_path)
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set from outside on Linux only")
@pytest.mark.parametrize(
    "greed", ["b'x' * (8 << 30)", "[open('big', 'wb').write(b'x' * (64 << 20)) for _ in range(1)]"]
)
def test_memory_and_disk_are_bounded(tmp_path: Path, greed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MAX_FILE_BYTES", 1 << 20)
    assert fails(python(f"import time; time.sleep(0.3); {greed}"), tmp_path).code == "speech_failed"


def test_secrets_of_the_environment_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNK_PASSWORD", "hush")
    child.run(python("import os, sys; sys.exit('TRUNK_PASSWORD' in os.environ)"), "test", 5, tmp_path)


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.02)
    return False
