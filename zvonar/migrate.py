"""`zvonar migrate`: bring the tables of the store up to date."""

from __future__ import annotations

from pathlib import Path

from api.store.database import Database
from engine import config as configuration


def migrate(config: Path | None) -> None:
    """Do it, once for all services that share the store. Raises ConfigError."""
    chosen = configuration.load(config)
    database = Database(chosen.store.url, chosen.store.folder, chosen.store.secret_file)
    try:
        database.migrate()
    finally:
        database.dispose()
    print("The tables are up to date.")
