"""`zvonar account`, `backup` and `migrate`, as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from api.store import accounts, money, sessions
from api.store.database import Database


def zvonar(*arguments: object, config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zvonar", *map(str, arguments), "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "zvonar.toml"
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/data/zvonar.db"\n')
    return file


def test_money(config: Path) -> None:
    assert zvonar("account", "add", "clinic", "--balance", "10", config=config).returncode == 0
    assert (
        "balance 15.5" in zvonar("account", "credit", "clinic", "5.50", "--comment", "invoice 7", config=config).stdout
    )
    told = zvonar("account", "ledger", "clinic", "--json", config=config)
    lines = json.loads(told.stdout)
    assert [(line["amount"], line["balance"], line["comment"]) for line in lines] == [
        ("5.5", "15.5", "invoice 7"),
        ("10", "10", "opening balance"),
    ]
    assert "invoice 7" in zvonar("account", "ledger", "clinic", config=config).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("credit", "clinic", "1.00001"), "four digits"),
        (("credit", "clinic", "0"), "is 0"),
        (("credit", "clinic", "x"), "is no amount"),
        (("credit", "clinic", "nan"), "must lie between"),
        (("credit", "nobody", "1"), "there is no account 'nobody'"),
        (("key", "nobody"), "there is no account 'nobody'"),
        (("link", "nobody"), "there is no account 'nobody'"),
        (("ledger", "nobody"), "there is no account 'nobody'"),
        (("add", "other", "--timezone", "Mars/Olympus"), "there is no time zone"),
        (("add", "other", "--from", "12a"), "is no telephone number"),
        (("add", "other", "--role", "king"), "king"),
    ],
)
def test_what_is_wrong(config: Path, arguments: tuple[str, ...], told: str) -> None:
    zvonar("account", "add", "clinic", config=config)
    tried = zvonar("account", *arguments, config=config)
    assert tried.returncode == 2
    assert told in tried.stderr
    assert tried.stdout == ""


def test_no_more_is_taken_off_than_is_free(config: Path) -> None:
    zvonar("account", "add", "clinic", "--balance", "10", config=config)
    command = [sys.executable, "-m", "zvonar", "account", "credit", "--config", str(config), "clinic", "--"]
    too_much = subprocess.run([*command, "-10.01"], capture_output=True, text=True, check=False)
    assert (too_much.returncode, "10.0" in too_much.stderr or "10" in too_much.stderr) == (2, True)
    assert subprocess.run([*command, "-10"], capture_output=True, text=True, check=True).stdout.endswith("balance 0\n")


def test_a_new_key(config: Path) -> None:
    first = json.loads(zvonar("account", "add", "clinic", "--json", config=config).stdout)["apiKey"]
    second = json.loads(zvonar("account", "key", "clinic", "--json", config=config).stdout)["apiKey"]
    shown = zvonar("account", "list", config=config).stdout
    assert first != second
    assert "clinic" in shown
    assert second not in shown
    database = Database(f"sqlite:///{config.parent}/data/zvonar.db")
    database.prepare()
    with database.read() as db:
        assert accounts.by_key(db, database.seal, first) is None
        assert accounts.by_key(db, database.seal, second) is not None
    database.dispose()


def test_a_link_to_sign_in_by(config: Path) -> None:
    """One for each new account, and another whenever it is asked for: then the one before is dead."""
    added = json.loads(zvonar("account", "add", "clinic", "--json", config=config).stdout)["link"]
    again = json.loads(zvonar("account", "link", "clinic", "--json", config=config).stdout)["link"]
    config.write_text(config.read_text() + '[api]\npublic_url = "https://calls.example/"\nlisten = "0.0.0.0:8089"\n')
    public = zvonar("account", "link", "clinic", config=config).stdout.strip()
    shown = zvonar("account", "add", "other", config=config).stdout
    assert added.startswith("http://127.0.0.1:8080/link/")
    assert again.startswith("http://127.0.0.1:8080/link/")
    assert public.startswith("https://calls.example/link/")
    assert "Sign in at https://calls.example/link/" in shown
    database = Database(f"sqlite:///{config.parent}/data/zvonar.db")
    database.prepare()
    with database.read() as db:
        tokens = [link.rpartition("/")[2] for link in (added, again, public)]
        assert [sessions.link_of(db, database.seal, token, time.time()) for token in tokens] == [None, None, 1]
    database.dispose()


def test_backup_while_it_is_written_to(config: Path, tmp_path: Path) -> None:
    """One state of the store, with the secret that opens its keys; restored elsewhere, it is a service's again."""
    key = json.loads(zvonar("account", "add", "clinic", "--json", config=config).stdout)["apiKey"]
    database = Database(f"sqlite:///{config.parent}/data/zvonar.db")
    database.prepare()
    records = tmp_path / "data" / "records"
    records.mkdir()
    (records / "abc.wav").write_bytes(b"RIFF")
    talk = tmp_path / "data" / "recordings" / "2026-01-01" / "1-1.ogg"
    talk.parent.mkdir(parents=True)
    talk.write_bytes(b"OggS")
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with database.write() as db:
                money.credit(db, 1, Decimal(1), "", time.time())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        saved = zvonar("backup", tmp_path / "saved.tar.gz", "--recordings", config=config)
    finally:
        over.set()
        writer.join()
        database.dispose()
    assert saved.returncode == 0, saved.stderr
    assert (tmp_path / "saved.tar.gz").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "saved.tar.gz") as archive:
        archive.extractall(tmp_path / "restored", filter="data")
    again = Database(f"sqlite:///{tmp_path}/restored/zvonar.db")
    again.prepare()
    with again.read() as db:
        account = accounts.by_key(db, again.seal, key)
        assert account is not None
        assert account.balance == sum(line.amount for line in money.lines(db, account.id, most=1_000_000))
    again.dispose()
    assert (tmp_path / "restored" / "records" / "abc.wav").read_bytes() == b"RIFF"
    assert (tmp_path / "restored" / "recordings" / "2026-01-01" / "1-1.ogg").read_bytes() == b"OggS"
    assert "without the 1 recordings" in zvonar("backup", tmp_path / "small.tar.gz", config=config).stdout
    with tarfile.open(tmp_path / "small.tar.gz") as archive:
        assert not [name for name in archive.getnames() if name.startswith("recordings")]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_backup_that_cannot_be(config: Path, tmp_path: Path) -> None:
    nothing = zvonar("backup", tmp_path / "x.tar.gz", config=config)
    assert (nothing.returncode, nothing.stderr.count("\n")) == (2, 1)
    zvonar("account", "add", "clinic", config=config)
    nowhere = zvonar("backup", tmp_path / "no" / "such" / "x.tar.gz", config=config)
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (2, 1)
    server = tmp_path / "server.toml"
    server.write_text('[store]\nurl = "postgresql://localhost/zvonar"\n')
    assert "pg_dump" in zvonar("backup", tmp_path / "x.tar.gz", config=server).stderr


def test_migrate(config: Path) -> None:
    for _ in range(2):
        assert zvonar("migrate", config=config).stdout == "The tables are up to date.\n"
