"""The tables: brought up to date by whoever starts first, and the same as the schema says."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from postgres import Postgres
from sqlalchemy.exc import DBAPIError

from api import views
from api.node import Node
from api.recordings import Recordings
from api.store import accounts, calls, claims, money, nodes, pace, records, replays
from api.store import database as database_module
from api.store.claims import Limits
from api.store.database import MIGRATIONS, Database
from api.store.schema import Money, metadata, settings
from api.store.seal import FILE_NAME, SECRET_ENV
from engine.config import ApiConfig, ConfigError, RecordingConfig


def test_migrations_make_what_the_schema_says(database: Database) -> None:
    with database.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []


def test_many_start_at_once(empty_store_url: str) -> None:
    program = (
        "import sys; from api.store.database import Database\n"
        "database = Database(sys.argv[1]); database.migrate(); database.dispose()"
    )
    command = [sys.executable, "-c", program, empty_store_url]
    starts = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    for start in starts:
        _, complaint = start.communicate(timeout=60)
        assert (start.returncode, complaint) == (0, b"")


@pytest.mark.peer
def test_two_services_start_on_a_server_that_has_had_none(postgres: Postgres, tmp_path: Path) -> None:
    """Each finds no secret written down: the second takes the first one's, when that is there."""
    with postgres.database() as url:
        services = [Database(url, tmp_path), Database(url, tmp_path)]
        services[0].migrate()
        with services[0].write() as db:
            db.execute(settings.delete())
        started: list[Exception | None] = []

        def start() -> None:
            try:
                services[1].prepare()
            except ConfigError as error:
                started.append(error)
            else:
                started.append(None)

        second = threading.Thread(target=start)
        with services[0].write() as db:
            db.execute(settings.insert().values(name="secret", value=services[0].seal.mark))
            second.start()
            second.join(0.5)
            assert second.is_alive()  # it waits for whether the first one's stands
        second.join(10)
        assert started == [None]
        for service in services:
            service.dispose()


@pytest.mark.peer
def test_servers_that_cannot_be_used(postgres: Postgres, tmp_path: Path) -> None:
    absent = postgres.url("absent").replace("postgresql+psycopg://postgres@", "postgresql://postgres:secret@")
    for url in (absent, f"postgresql://me:secret@/zvonar?host={tmp_path}"):
        with pytest.raises(ConfigError, match=r"store\.url") as refused:
            Database(url).migrate()
        assert "\n" not in str(refused.value)
        assert "secret" not in str(refused.value)


def test_a_reader_sees_one_state(database: Database) -> None:
    with database.write() as db:
        account = accounts.add(db, database.seal, "me", balance=Decimal(5), now=0.0)[0]
    with database.read() as db:
        assert accounts.by_id(db, account.id).balance == 5
        with database.write() as other:
            money.credit(other, account.id, Decimal(-1), "", 0.0)
        assert accounts.by_id(db, account.id).balance == 5
    with database.read() as db:
        assert accounts.by_id(db, account.id).balance == 4


@pytest.mark.parametrize("store_url", [pytest.param("postgresql", marks=pytest.mark.peer)], indirect=True)
def test_who_is_stopped_in_a_transaction_loses_its_locks(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that hangs while it claims does not keep the others from the trunk for ever."""
    told = database_module.KEEPALIVE["options"]
    assert isinstance(told, str)
    monkeypatch.setitem(database_module.KEEPALIVE, "options", told.replace("10s", "300ms"))
    hangs, other = Database(store_url), Database(store_url)

    def got() -> bool:
        with other.write() as db:
            return pace.turn_to_claim(db, "carrier")

    assert got()
    stopped = hangs.write()
    assert pace.turn_to_claim(stopped.__enter__(), "carrier")
    first, until = got(), time.monotonic() + 5
    while not (later := got()) and time.monotonic() < until:
        time.sleep(0.02)
    with suppress(DBAPIError):  # what was stopped finds its connection closed
        stopped.__exit__(None, None, None)
    hangs.dispose()
    other.dispose()
    assert (first, later) == (False, True)


@pytest.mark.peer
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_server_that_was_away(database: Database, store_url: str, postgres: Postgres) -> None:
    with database.read() as db:
        assert not accounts.exist(db)
    assert postgres.terminate(store_url) == 1
    with database.read() as db:
        assert not accounts.exist(db)


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:////proc/nothing/zvonar.db", "oracle9://x"])
def test_urls_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.url"):
        Database(url).migrate()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "zvonar.db").write_text("This is a text, and a rather long one, so that it cannot be a header. " * 20)
    with pytest.raises(ConfigError, match=r"store\.url"):
        Database(f"sqlite:///{tmp_path}/zvonar.db").migrate()


def test_writers_take_turns(database: Database) -> None:
    """Reads first, writes later: without the lock at the beginning, such transactions fail each other."""
    with database.write() as db:
        account = accounts.add(db, database.seal, "me", now=0.0)[0]

    def add() -> None:
        for _ in range(20):
            with database.write() as db:
                accounts.by_id(db, account.id)
                money.credit(db, account.id, Decimal("0.01"), "", 0.0)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as db:
        assert accounts.by_id(db, account.id).balance == Decimal("1.6")


def test_a_name_is_taken_once(database: Database) -> None:
    with database.write() as db:
        account, key = accounts.add(db, database.seal, "me", balance=Decimal("10.5"), now=5.0)
        assert accounts.by_key(db, database.seal, key) == account
        assert accounts.by_key(db, database.seal, "' OR 1=1") is None
        assert accounts.by_name(db, "me") == account
        with pytest.raises(accounts.AccountExists):
            accounts.add(db, database.seal, "me", now=5.0)
        assert len(accounts.every(db)) == 1


def test_keys_are_not_in_the_store(database: Database) -> None:
    with database.write() as db:
        account, key = accounts.add(db, database.seal, "me", now=5.0)
        assert key not in repr(account)
        assert key not in account.key_sealed + account.key_hash
        assert database.seal.open(account.key_sealed) == key
        another = accounts.renew_key(db, database.seal, account.id)
        assert accounts.by_key(db, database.seal, key) is None
        assert accounts.by_key(db, database.seal, another) is not None


def test_the_secret_belongs_to_the_store(empty_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Database(empty_store_url, tmp_path)
    first.migrate()
    first.dispose()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    for secret, complaint in (("x" * 40, "sealed with another secret"), ("short", "shorter than")):
        monkeypatch.setenv(SECRET_ENV, secret)
        stranger = Database(empty_store_url, tmp_path)
        with pytest.raises(ConfigError, match=complaint):
            stranger.prepare()
        stranger.dispose()
    monkeypatch.delenv(SECRET_ENV)
    again = Database(empty_store_url, tmp_path)
    again.prepare()
    again.dispose()


def test_tables_of_the_first_version(tmp_path: Path) -> None:
    """A store as the first version left it: its key still opens, its waiting call is still called and paid for."""
    old = Database(f"sqlite:///{tmp_path}/zvonar.db")
    key = "k" * 60
    with old.write() as db:
        alembic = Config()
        alembic.set_main_option("script_location", str(MIGRATIONS))
        alembic.attributes["connection"] = db
        command.upgrade(alembic, "0001")
        for statement in FIRST_VERSION:
            db.exec_driver_sql(statement.replace("KEY", key))
    old.migrate()
    with old.read() as db:
        account = accounts.by_key(db, old.seal, key)
        assert account is not None
        assert (account.balance, account.held, account.moderated) == (Decimal(10), Decimal("1.5"), True)
        [kept] = calls.get(db, account.id, [1])
        assert (kept.price, kept.outgoing, kept.calls[0].request_id) == (Decimal("1.5"), "79932432781", 1)
        assert [record.id for record in records.page(db, account.id, "привет")] == [5]
        assert records.planned(db, [5]) == {5: 1}
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    with old.write() as db:
        claim = claims.claim(db, "a", Limits("trunk", ("79932432781",)), 10, 1.0)
        assert [call.api_call_id for call in claim.calls] == [1]
    old.dispose()


FIRST_VERSION = (
    "INSERT INTO accounts VALUES (1, 'me', 'KEY', 'whsec_x', 100000, 1, 0.0)",
    "INSERT INTO records (id, account_id, name, status, moderator_comment, cost, record_text, gender, content, token,"
    " duration_ms, created_at) VALUES (5, 1, 'ПРИВЕТ', 'ready', '', 0, 'Заказ', 0, 'c', 't', 1, 0.0)",
    """INSERT INTO requests VALUES (1, 1, '{}', '{}', '{"menu": {"record": "5"}, "x": {"record": null}}', 0.0)""",
    "INSERT INTO api_calls VALUES (1, 1, 1, '79990000001', 0, 0, 0.0)",
    "INSERT INTO calls VALUES (1, 1, 1, '79990000001', '79932432781', 'created', 0.0, NULL, NULL, NULL, NULL, NULL,"
    " 0.0, 0.0, NULL, NULL, NULL, 0, '[]', '[]', '[]', 0, 0)",
)


def test_dead_nodes(database: Database) -> None:
    child = subprocess.run(
        [sys.executable, "-c", "from api.store import nodes; print(*nodes.myself(), sep='|')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    host, pid, born = child.stdout.strip().split("|")
    now = time.time()
    with database.write() as db:
        mine = nodes.register(db, now)
        gone = {"host": host, "pid": int(pid), "born": born, "beat_at": now}
        elsewhere = {"id": "elsewhere", "host": "other machine", "pid": 1, "born": "1", "beat_at": now}
        recycled = {**gone, "id": "recycled", "pid": nodes.myself().pid}
        db.execute(metadata.tables["nodes"].insert(), [{**gone, "id": "gone"}, elsewhere, recycled])
        assert sorted(nodes.dead(db, now)) == ["gone", "recycled"]
        assert sorted(nodes.dead(db, now + 9)) == sorted(["elsewhere", "gone", "recycled", mine])
        assert nodes.beat(db, mine, now + 9)
        nodes.leave(db, mine)
        assert not nodes.beat(db, mine, now + 9)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_money_is_exact(amount: Decimal) -> None:
    kind, dialect = Money(), None
    assert kind.process_result_value(kind.process_bind_param(amount, dialect), dialect) == amount  # type: ignore[arg-type]


@pytest.mark.parametrize(("amount", "written"), [("0", "0"), ("0.90", "0.9"), ("100", "100"), ("12.5000", "12.5")])
def test_money_as_the_contract_writes_it(amount: str, written: str) -> None:
    assert views.money(Decimal(amount)) == written


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_file_that_was_removed_takes_nothing(database: Database) -> None:
    """The connections would go on with a file that nobody finds again."""
    assert database.file is not None
    kept = database.file.rename(database.file.with_suffix(".kept"))
    with pytest.raises(FileNotFoundError), database.write():
        raise AssertionError("nothing can be written")
    database.file.touch()
    with pytest.raises(OSError, match="is not the file"), database.write():
        raise AssertionError("nothing can be written")
    kept.rename(database.file)
    with database.write() as db:
        assert db.connection is not None


def test_replies_are_given_again_for_a_day(database: Database) -> None:
    kept = replays.Kept("fingerprint", "reply")
    now = [1000.0]
    node = Node(database, lambda: now[0], Recordings(RecordingConfig(), ApiConfig(), database))
    with database.write() as db:
        account = accounts.add(db, database.seal, "me", now=0.0)[0].id
        replays.keep(db, account, "key", kept, now[0])
    with pytest.raises(replays.AlreadyGiven), database.write() as db:
        replays.keep(db, account, "key", kept, now[0])
    now[0] += replays.KEPT_S - 1
    assert node.beat()
    with database.read() as db:
        assert replays.find(db, account, "key", now[0]) == kept
    now[0] += 2
    assert node.beat()
    with database.write() as db:
        assert replays.find(db, account, "key", 1001.0) is None
        replays.keep(db, account, "key", kept, now[0])
