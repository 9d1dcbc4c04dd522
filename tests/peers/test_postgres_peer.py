"""The peer itself: it works as got from Debian too, and never outlives the run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from postgres import PREFIX, Postgres, clear_up

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent

STARTS_AND_HANGS = """
import time
import postgres
peer = postgres.Postgres.start(postgres.installed())
print(peer.pid, peer.home, flush=True)
time.sleep(60)
"""


def test_each_database_is_its_own(postgres: Postgres) -> None:
    with postgres.database() as one, postgres.database() as other:
        assert one != other
        for url in (one, other):
            with psycopg.connect(url.replace("+psycopg", "")) as db:
                db.execute("INSERT INTO nodes VALUES ('me', 'here', 1, 'now', 0)")


def test_it_listens_on_no_port(postgres: Postgres) -> None:
    listening = [
        os.readlink(link)
        for link in Path(f"/proc/{postgres.pid}/fd").iterdir()
        if os.readlink(link).startswith("socket:")
    ]
    tcp = "".join(Path(f"/proc/{postgres.pid}/net/{kind}").read_text("utf-8") for kind in ("tcp", "tcp6"))
    assert not [name for name in listening if f" {name[8:-1]} " in tcp]


@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv, so a killed run leaves its server behind")
def test_a_killed_run_leaves_nothing_running(postgres: Postgres) -> None:
    """Not even where the run had no time to say anything; what lies about is cleared up by the next one."""
    assert postgres.pid
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent.parent)])}
    run = subprocess.Popen([sys.executable, "-c", STARTS_AND_HANGS], stdout=subprocess.PIPE, env=environment, text=True)
    assert run.stdout is not None
    with run.stdout:
        pid, home = run.stdout.readline().split()
    assert Path(home).name.startswith(f"{PREFIX}{run.pid}-")
    run.send_signal(signal.SIGKILL)
    run.wait()
    until = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until, "it still runs"
        time.sleep(0.02)
    clear_up()
    assert not Path(home).exists()
