"""The peer itself: it is ready when it says so, and never outlives the run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from asterisk import SUBSCRIBERS, Asterisk

pytestmark = pytest.mark.peer

STARTS_AND_HANGS = """
import time
from asterisk import Asterisk
peer = Asterisk.start()
print(peer.pid, peer.home, flush=True)
time.sleep(60)
"""


def test_every_subscriber_is_there(asterisk: Asterisk) -> None:
    dialplan = asterisk.cli("dialplan show subscriber")
    for behaviour, code in SUBSCRIBERS.items():
        assert behaviour.isdigit() or f"'{code}' =>" in dialplan, behaviour


def test_numbers_are_unique_and_behave_as_named(asterisk: Asterisk) -> None:
    first, second = asterisk.number("echo"), asterisk.number("echo")
    assert first != second
    assert first.endswith(SUBSCRIBERS["echo"])


def test_it_listens_only_on_loopback(asterisk: Asterisk) -> None:
    sockets = Path(f"/proc/{asterisk.pid}/net/udp").read_text("utf-8").splitlines()
    bound = [line.split()[1].split(":")[0] for line in sockets if line.split()[1].endswith(f":{asterisk.port:04X}")]
    assert bound == ["0100007F"]


def test_it_dies_with_a_run_that_is_killed() -> None:
    here = str(Path(__file__).parent)
    run = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_HANGS],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": here},
    )
    assert run.stdout is not None
    pid, home = run.stdout.readline().split()
    assert Path(f"/proc/{pid}").exists()
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 5
    while _alive(int(pid)):
        assert time.monotonic() < deadline, f"Asterisk {pid} in {home} outlives its run"
        time.sleep(0.02)
    shutil.rmtree(home)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # a zombie of a container without an init is dead enough
