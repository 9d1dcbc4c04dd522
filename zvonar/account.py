"""`zvonar account`: accounts, their keys and their money, also beside a running service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from api import account_fields
from api.fields import Unfit
from api.store import accounts, money, sessions
from api.store.accounts import Account, Role
from api.store.database import Database
from engine import config as configuration
from engine.config import ConfigError

_Given = TypeVar("_Given")
_Taken = TypeVar("_Taken")


def add(
    name: str,
    *,
    balance: Decimal,
    moderated: bool,
    role: str,
    timezone: str,
    outgoing: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Make the account and print it. Raises ConfigError."""
    name = _fit("NAME", account_fields.name, name)
    _fit("--balance", account_fields.balance, balance)
    _fit("--timezone", account_fields.timezone, timezone)
    with _store(config) as database:
        try:
            with database.write() as db:
                account, key = accounts.add(
                    db, database.seal, name, balance=balance, moderated=moderated, role=Role(role), timezone=timezone,
                    outgoing=_fit("--from", account_fields.outgoing, outgoing), now=time.time(),
                )  # fmt: skip
                token = sessions.make_link(db, database.seal, account.id, time.time())
        except accounts.AccountExists as error:
            raise ConfigError(f"NAME: there is an account {name!r} already; choose another name") from error
    link = _link(config, token)
    if as_json:
        print(json.dumps(_told(account) | {"apiKey": key, "link": link}))
        return
    state = "moderated: its clips can be used at once" if moderated else "not moderated: its clips wait for a moderator"
    print(f"Account {account.id}, {account.name!r}, balance {account.balance:f}, {state}")
    print(f"apiKey: {key}")
    print(f"Sign in at {link}\n(it works once, within 24 hours, while `zvonar serve` runs)")


def link(name: str, as_json: bool, config: Path | None) -> None:
    """Make a link to sign in by and print it; one that was made before dies. Raises ConfigError."""
    with _store(config) as database, database.write() as db:
        account = _named(db, name)
        token = sessions.make_link(db, database.seal, account.id, time.time())
    url = _link(config, token)
    print(json.dumps({"id": account.id, "name": account.name, "link": url}) if as_json else url)


def credit(name: str, amount: Decimal, comment: str, as_json: bool, config: Path | None) -> None:
    """Change the balance by `amount` and print the new one. Raises ConfigError."""
    _fit("AMOUNT", account_fields.change, amount)
    with _store(config) as database, database.write() as db:
        account = _named(db, name)
        try:
            line = money.credit(db, account.id, amount, comment, time.time())
        except money.NotEnough as error:
            raise ConfigError(
                f"AMOUNT: {account.name!r} has {account.balance - account.held:f} that is free "
                f"({account.held:f} is held for calls); take no more than that"
            ) from error
    if as_json:
        print(json.dumps({"id": account.id, "name": account.name, "amount": str(amount), "balance": str(line.balance)}))
    else:
        print(f"Account {account.id}, {account.name!r}: {amount:+f}, balance {line.balance:f}")


def renew_key(name: str, as_json: bool, config: Path | None) -> None:
    """Make a new key and print it; the old one dies at once. Raises ConfigError."""
    with _store(config) as database, database.write() as db:
        account = _named(db, name)
        key = accounts.renew_key(db, database.seal, account.id)
    print(json.dumps({"id": account.id, "name": account.name, "apiKey": key}) if as_json else f"apiKey: {key}")


def show(as_json: bool, config: Path | None) -> None:
    """All accounts, without their keys. Raises ConfigError."""
    with _store(config) as database, database.read() as db:
        every = accounts.every(db)
    if as_json:
        print(json.dumps([_told(account) for account in every]))
        return
    table = Table("id", "name", "role", "status", "balance", "held", "time zone", box=None)
    for account in every:
        table.add_row(
            str(account.id), account.name, account.role, account.status, f"{account.balance:f}", f"{account.held:f}",
            account.timezone,
        )  # fmt: skip
    Console(highlight=False).print(table)


def ledger(name: str, as_json: bool, config: Path | None) -> None:
    """The newest lines of an account's ledger. Raises ConfigError."""
    with _store(config) as database, database.read() as db:
        lines = money.lines(db, _named(db, name).id)
    if as_json:
        told = [
            {
                "id": line.id, "kind": line.kind, "amount": str(line.amount), "balance": str(line.balance),
                "callId": line.call_id, "recordId": line.record_id, "comment": line.comment, "at": line.created_at,
            }
            for line in lines
        ]  # fmt: skip
        print(json.dumps(told, ensure_ascii=False))
        return
    table = Table("when (UTC)", "kind", "amount", "balance", "of", box=None)
    for line in lines:
        when = datetime.fromtimestamp(line.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        of = f"call {line.call_id}" if line.call_id else f"record {line.record_id}" if line.record_id else line.comment
        table.add_row(when, line.kind, f"{line.amount:+f}", f"{line.balance:f}", of)
    Console(highlight=False).print(table)


@contextmanager
def _store(config: Path | None) -> Iterator[Database]:
    chosen = configuration.load(config)
    database = Database(chosen.store.url, chosen.store.folder, chosen.store.secret_file)
    try:
        database.prepare()
        yield database
    finally:
        database.dispose()


def _named(db: Any, name: str) -> Account:
    account = accounts.by_name(db, name.strip())
    if account is None:
        raise ConfigError(f"NAME: there is no account {name!r}; `zvonar account list` shows them")
    return account


def _told(account: Account) -> dict[str, Any]:
    return {
        "id": account.id, "name": account.name, "balance": float(account.balance), "held": float(account.held),
        "moderated": account.moderated, "status": account.status, "role": account.role, "timezone": account.timezone,
        "outgoing": account.outgoing,
    }  # fmt: skip


def _link(config: Path | None, token: str) -> str:
    """Where a browser of this machine, or of the world if `public_url` is set, finds the service."""
    api = configuration.load(config).api
    if api.public_url:
        return f"{api.public_url.rstrip('/')}/link/{token}"
    host, port = configuration.parse_address(api.listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # all of them: no address to go to
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/link/{token}"


def _fit(what: str, check: Callable[[_Given], _Taken], given: _Given) -> _Taken:
    try:
        return check(given)
    except Unfit as error:
        raise ConfigError(f"{what}: {error}") from error
