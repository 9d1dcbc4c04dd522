"""A private PostgreSQL for the tests: a real peer, started by the run and gone with it.

In a test, the fixture `postgres` (session-wide) is one; what it offers:

    with postgres.database() as url:                # a database of its own, with the tables up to date
    with postgres.database(empty=True) as url:      # one without tables

It lives in a short folder under /tmp, its socket too: it listens on no port. The data is in memory where there is
room, since a database is some 300 files, and nothing is synced. PostgreSQL refuses to run as root; then another user
runs it, in a folder that this user may enter.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy import delete

from api.store.database import Database
from api.store.schema import settings

HERE = Path(__file__).parent
START_S = 30.0  # a third of a second is the norm; a loaded machine takes longer
STOP_S = 5.0
RUNS_AS = ("postgres", "nobody")  # where we are root: the first of these that there is
PREFIX = "zvonar-pg-"  # then who started it
MEMORY = Path("/dev/shm")
ROOM_BYTES = 1_000_000_000  # a cluster of ours has some 100 MB; containers often have only 64 MB there
TEMPLATE = "template_with_tables"

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "16MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}


class PostgresError(Exception):
    """The peer cannot be had, or does not start; the text says why and what to do."""


class Postgres:
    """One PostgreSQL server. `close` ends it and removes its folder; so does the end of this process (but the folder).

    Not safe to use from several threads; what it makes, the databases, is.
    """

    def __init__(self, home: Path, data: Path, process: subprocess.Popen[bytes]) -> None:
        self.home = home
        self._data = data
        self._process = process
        self._serial = itertools.count(1)
        self._admin: psycopg.Connection[Any] | None = None

    @classmethod
    def start(cls, programs: Path) -> Self:
        """Starts what `installed` found; returns when it takes connections. PostgresError with its log's end if not."""
        clear_up()
        home = _folder(Path("/tmp"))  # a unix socket's path must be short
        data = _folder(MEMORY if _roomy(MEMORY) else Path("/tmp"))
        try:
            user = _other_user(home, data)
            if user:
                programs = _within_reach(programs, home, user)
            _initialise(programs, data, user)
            chosen = SETTINGS | {"unix_socket_directories": str(home)}
            arguments = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
            with (home / "log").open("wb") as log:
                process = subprocess.Popen(
                    [*_dies_with_us(), programs / "postgres", "-D", data, *arguments],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                    cwd=home, env=_environment(), **user,
                )  # fmt: skip
        except BaseException:
            for folder in (home, data):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        peer = cls(home, data, process)
        try:
            peer._wait_started()
            peer._make_template()
        except BaseException:
            peer.close()
            raise
        return peer

    def _wait_started(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended with status {self._process.returncode}:\n{self.log_end()}")
            try:
                self._admin = psycopg.connect(f"host={self.home} user=postgres dbname=postgres", autocommit=True)
            except psycopg.OperationalError:  # not yet
                time.sleep(0.02)
            else:
                return
        raise PostgresError(f"PostgreSQL was not ready after {START_S:.0f} s:\n{self.log_end()}")

    def _make_template(self) -> None:
        self._execute(f'CREATE DATABASE "{TEMPLATE}"')
        database = Database(self.url(TEMPLATE), self.home)
        try:
            database.migrate()
            with database.write() as db:
                db.execute(delete(settings))  # each copy takes the secret of whoever opens it first
        finally:
            database.dispose()  # a template must have no connections

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": its children are killed, nothing is written
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)  # its children end when they see it gone
                self._process.wait()
        for folder in (self.home, self._data):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def url(self, name: str) -> str:
        """What `store.url` says for the database of that name."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.home}"

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a new database; it is dropped at the end, whoever is still connected."""
        name = f"test_{next(self._serial)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{"template0" if empty else TEMPLATE}"')
        try:
            yield self.url(name)
        finally:
            self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def terminate(self, url: str, query_like: str = "%") -> int:
        """Ends the connections to that database whose last statement is like that; how many there were."""
        name = url.rpartition("/test_")[2].partition("?")[0]
        found = self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query LIKE %s",
            (f"test_{name}", query_like),
        )
        return len(found.fetchall())

    def _execute(self, statement: str, parameters: tuple[str, ...] | None = None) -> psycopg.Cursor[Any]:
        assert self._admin is not None
        return self._admin.execute(statement, parameters)  # type: ignore[call-overload,no-any-return]

    def log_end(self, lines: int = 30) -> str:
        return "\n".join((self.home / "log").read_text("utf-8", "replace").splitlines()[-lines:])


def installed() -> Path:
    """The folder of `initdb` and `postgres`; gets them (some 8 s, 76 MB) if there are none. PostgresError."""
    found = subprocess.run([HERE / "get_postgres.sh"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise PostgresError("no PostgreSQL: install it, or let tests/peers/get_postgres.sh reach a mirror")
    return Path(found.stdout.strip())


def running(programs: Path) -> Iterator[Postgres]:
    """For fixtures: one server, closed whatever happens."""
    peer = Postgres.start(programs)
    try:
        yield peer
    finally:
        peer.close()


def _initialise(programs: Path, data: Path, user: dict[str, Any]) -> None:
    command = [
        programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
        "--no-sync",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=data, env=_environment(), **user)
    if done.returncode != 0:
        raise PostgresError(f"initdb ended with status {done.returncode}:\n{done.stdout}{done.stderr}")


def _folder(where: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=where))


def _roomy(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM_BYTES


def clear_up() -> None:
    """Removes what runs left that were killed: their servers ended with them, their folders could not."""
    for folder in (*Path("/tmp").glob(f"{PREFIX}*"), *MEMORY.glob(f"{PREFIX}*")):
        run = folder.name.removeprefix(PREFIX).partition("-")[0]
        if run.isdecimal() and Path("/proc/self").exists() and not Path(f"/proc/{run}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Nothing of ours but the way to a shell: PGDATA, LC_ALL and LD_LIBRARY_PATH would change the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _other_user(*folders: Path) -> dict[str, Any]:
    """Where we are root: who runs the server, as arguments of Popen; the folders are theirs."""
    if os.geteuid() != 0:
        return {}
    for name in RUNS_AS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        for folder in folders:
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresError(f"PostgreSQL does not run as root, and there is no user {' or '.join(RUNS_AS)}")


def _within_reach(programs: Path, home: Path, user: dict[str, Any]) -> Path:
    """The programs, or a copy of the private ones where that user cannot enter root's cache."""
    if subprocess.run(["test", "-x", programs / "postgres"], check=False, cwd="/", **user).returncode == 0:
        return programs
    root = programs.parent
    shutil.copytree(root, home / "server", symlinks=True, ignore=shutil.ignore_patterns(".*"))
    return home / "server" / programs.relative_to(root)


def _dies_with_us() -> list[str]:
    """A run that is killed leaves no server behind: the kernel ends it with its parent."""
    return ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []
