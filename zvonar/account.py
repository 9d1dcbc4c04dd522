"""`zvonar account add`: an account and its key, also beside a running service."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

from api.store import accounts
from api.store.database import Database
from engine import config as configuration
from engine.config import ConfigError

_MOST = Decimal(1_000_000_000)


def add(name: str, balance: Decimal, moderated: bool, as_json: bool, config: Path | None) -> None:
    """Make the account and print it. Raises ConfigError."""
    name = name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise ConfigError("NAME: an account needs a name of 1 to 200 characters")
    if not balance.is_finite() or not 0 <= balance <= _MOST:
        raise ConfigError(f"--balance: must lie between 0 and {_MOST}")
    database = Database(configuration.load(config).store.url)
    try:
        database.migrate()
        with database.write() as db:
            account = accounts.add(db, name, balance, moderated, time.time())
    except accounts.AccountExists as error:
        raise ConfigError(f"NAME: there is an account {name!r} already; choose another name") from error
    finally:
        database.dispose()
    if as_json:
        told = {
            "id": account.id, "name": account.name, "apiKey": account.api_key, "balance": float(account.balance),
            "moderated": account.moderated,
        }  # fmt: skip
        print(json.dumps(told))
        return
    state = "moderated: its clips can be used at once" if moderated else "not moderated: its clips wait for a moderator"
    print(f"Account {account.id}, {account.name!r}, balance {account.balance:f}, {state}")
    print(f"apiKey: {account.api_key}")
