"""The database: one place to begin a transaction, and to bring the tables up to date.

SQLite runs in WAL mode, so readers never wait; writers take the lock at once (`BEGIN IMMEDIATE`), because a
transaction that reads first and writes later fails where two do so. On PostgreSQL a transaction that reads sees one
state, as on SQLite (`REPEATABLE READ`); those that write run beside each other and lock the rows they decide upon.
All calls block: never from an event loop.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, event, exc, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite

from api.store import seal
from api.store.schema import settings
from api.store.seal import Seal
from engine.config import ConfigError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
BUSY_TIMEOUT_S = 10  # a client waits for its answer; results of calls are written again and again anyway
MIGRATING = 0x7A766F6E6172  # "zvonar": the advisory lock of who brings the tables up to date

# A server lets in 100 by default, and several nodes share it.
SQLITE_POOL = {"pool_size": 20, "max_overflow": 40}
POSTGRESQL_POOL = {"pool_size": 10, "max_overflow": 10}

# A server that vanished without a word is noticed within a minute; what the URL says counts for more.
KEEPALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
    # A process that is stopped in a transaction lives on for the server, and keeps its locks: a trunk's, an account's.
    "options": "-c idle_in_transaction_session_timeout=10s",
}


class Database:
    """Transactions on the store. Safe to use from any thread."""

    def __init__(self, url: str, folder: Path | None = None, secret_file: Path | None = None) -> None:
        """`folder` is for what does not belong into tables; without one, see `folder`. Raises ConfigError."""
        self._folder = folder
        self._secret_file = secret_file
        try:
            self._url = _url_of(url)
            self._sqlite = self._url.get_backend_name() == "sqlite"
            if self._sqlite:
                self._make_folder()
                options: dict[str, Any] = {
                    **SQLITE_POOL, "connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
                }  # fmt: skip
            else:
                arguments = {name: value for name, value in KEEPALIVE.items() if name not in self._url.query}
                # A connection may have died with a server that is back by now: each is tried before it is used.
                options = {**POSTGRESQL_POOL, "connect_args": arguments, "pool_pre_ping": True}
            self._engine = create_engine(self._url, hide_parameters=True, json_deserializer=_from_json, **options)
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise ConfigError(
                f'store.url: {error}; write for example "sqlite:////var/lib/zvonar/zvonar.db" '
                'or "postgresql://user:password@host/zvonar"'
            ) from error
        self._opened: tuple[int, int] | None = None  # device and number of SQLite's file
        self._writer = self._engine.execution_options(zvonar_writes=True)
        self._reader = self._engine
        if not self._sqlite:
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # SQLite has one writer. Who waits for the turn here wakes up at once; its own waiting polls.
        self._turn = threading.Lock() if self._sqlite else None
        if self._sqlite:
            event.listen(self._engine, "connect", _prepare)
            event.listen(self._engine, "connect", self._remember)
            event.listen(self._engine, "begin", _begin)

    @property
    def folder(self) -> Path:
        """Where what does not belong into tables lies: beside the database's file, or in the working folder."""
        if self._folder is not None:
            return self._folder.absolute()
        if self._sqlite and self._url.database:
            return Path(self._url.database).absolute().parent
        return Path("zvonar-data").absolute()

    @cached_property
    def seal(self) -> Seal:
        """What hashes and encrypts the API keys of this store. Raises ConfigError."""
        return seal.load(self.folder, self._secret_file)

    @property
    def file(self) -> Path | None:
        """The database's file; None where it is a server's."""
        return Path(str(self._url.database)).absolute() if self._sqlite else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; it sees one state of the store."""
        with self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; rolled back when the block raises."""
        if self._turn is None:
            with self._writer.begin() as connection:
                yield connection
            return
        with self._turn, self._writer.begin() as connection:
            self.check_there()
            yield connection

    def migrate(self) -> None:
        """Bring the tables up to date; who starts at the same time waits. Raises ConfigError."""
        with self._opening():
            if self._sqlite:
                self._switch_to_wal()
            with self.write() as connection:
                if not self._sqlite:
                    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
                alembic = AlembicConfig()
                alembic.set_main_option("script_location", str(MIGRATIONS))
                alembic.attributes.update(connection=connection, seal=self.seal)
                command.upgrade(alembic, "head")
                self._check_secret(connection)

    def prepare(self) -> None:
        """Be sure that the tables are up to date: SQLite's are brought there, a server's must be. Raises ConfigError.

        Several services share a server, and one of an older version may be at work: there it is the operator who says
        when (`zvonar migrate`).
        """
        if self._sqlite:
            self.migrate()
            return
        with self._opening(), self.write() as connection:
            known = MigrationContext.configure(connection).get_current_revision()
            if known == ScriptDirectory(str(MIGRATIONS)).get_current_head():
                self._check_secret(connection)
                return
        raise ConfigError(
            f"store.url: the tables in {self._url.render_as_string()} are not of this version; run `zvonar migrate`"
        )

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, sqlite3.Error) as error:
            reason = " ".join(str(getattr(error, "orig", error)).split())  # PostgreSQL's have several lines
            raise ConfigError(
                f"store.url: {self._url.render_as_string()} cannot be opened ({reason}); "
                "name a database that this user may write"
            ) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """This process alone places calls from this SQLite file. Raises ConfigError while another one does.

        SQLite is for one service; several share PostgreSQL. The lock goes with the process, however that ends.
        """
        if self.file is None:
            yield
            return
        path = self.file.with_name(f"{self.file.name}.lock")
        with path.open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise ConfigError(
                    f"{self.file}: another `zvonar serve` uses it (process {lock.read().strip() or 'unknown'}); "
                    "end that one, or give each its own [store] url; several services share PostgreSQL"
                ) from error
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    @property
    def can_notify(self) -> bool:
        """It is PostgreSQL, and can wake who listens; see `api.store.wakeup`."""
        return not self._sqlite

    @contextmanager
    def lone(self) -> Iterator[Any]:
        """The driver's own connection, in no pool and no transaction, to wait on; closed after the block."""
        connection = self._engine.raw_connection()
        driver: Any = connection.dbapi_connection
        try:
            connection.detach()
            driver.autocommit = True
            yield driver
        finally:
            driver.close()

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _check_secret(self, connection: Connection) -> None:
        """The keys in this store belong to this secret; the first who asks writes down which it is."""
        # Two services may start on a new server at once: the second waits here for what the first one writes.
        insert = sqlite.insert if self._sqlite else postgresql.insert
        mine = insert(settings).values(name="secret", value=self.seal.mark)
        connection.execute(mine.on_conflict_do_nothing())
        known = connection.execute(select(settings.c.value).where(settings.c.name == "secret")).scalar_one()
        if known != self.seal.mark:
            raise ConfigError(
                f"store.url: the API keys in {self._url.render_as_string()} were sealed with another secret; "
                f"restore ${seal.SECRET_ENV} or the file {seal.FILE_NAME} that belongs to it"
            )

    def _remember(self, _connection: Any, _record: Any) -> None:
        if self._opened is None and self.file is not None:
            self._opened = _identity(self.file)

    def check_there(self) -> None:
        """Raise OSError if the file was removed or replaced: what is written would be lost with this process."""
        if self.file is not None and _identity(self.file) != self._opened:
            raise OSError(f"{self.file} is not the file that was opened; put that back, or start the service again")

    def _make_folder(self) -> None:
        if not self._url.database or self._url.database == ":memory:":
            raise ConfigError('store.url: SQLite needs a file; write for example "sqlite:///zvonar-data/zvonar.db"')
        folder = Path(self._url.database).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"store.url: {folder}: {error.strerror}; name a folder that can be written") from error

    def _switch_to_wal(self) -> None:
        # The switch needs the file for itself, and SQLite does not always wait for that; it is kept in the file.
        until = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL").close()
            except Exception as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise exc.OperationalError("PRAGMA journal_mode=WAL", {}, error) from error
                time.sleep(0.05)
            else:
                return
            finally:
                connection.close()


def _url_of(text: str) -> URL:
    url = make_url(text)
    if url.drivername in ("postgresql", "postgres"):  # as everybody writes it; the driver is ours to know
        return url.set(drivername="postgresql+psycopg")
    return url


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _from_json(text: str | bytes) -> Any:
    """Most JSON columns of most rows are empty lists; those need no parser."""
    return [] if text in ("[]", b"[]") else json.loads(text)


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver's guess
    cursor = connection.cursor()
    # In WAL mode NORMAL loses nothing when a process is killed; only a power cut may take the last transactions.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("zvonar_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
