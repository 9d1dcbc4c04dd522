"""Somebody who is signed in, without a browser: what a page's forms and links send."""

from __future__ import annotations

import time

import httpx2

from api.store import accounts, sessions
from api.store.database import Database


def signed_in(database: Database, url: str, name: str = "me", language: str = "en") -> httpx2.Client:
    """A client with a session of that account; close it, or use it in `with`."""
    with database.write() as db:
        account = accounts.by_name(db, name)
        assert account is not None
        token = sessions.begin(db, database.seal, account.id, "127.0.0.1", "test", time.time())
    headers = {"accept-language": language, "sec-fetch-site": "same-origin", "cookie": f"zvonar={token}"}
    return httpx2.Client(base_url=url, headers=headers, timeout=20)
