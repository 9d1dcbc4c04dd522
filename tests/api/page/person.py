"""Somebody who looks at the page without a browser: cookies, and what browsers say of where a request comes from."""

from __future__ import annotations

import time
from typing import Any

import httpx2

from api.store import accounts, sessions
from api.store.accounts import Account, Role


class Person:
    """Signed in; pages in English."""

    def __init__(self, running: Any, name: str = "staff", role: Role = Role.OPERATOR) -> None:
        self.database = running.service.database
        with self.database.write() as db:
            self.account, _ = accounts.add(db, self.database.seal, name, moderated=True, role=role, now=time.time())
            token = sessions.begin(db, self.database.seal, self.account.id, "127.0.0.1", "test", time.time())
        self.http = httpx2.Client(
            base_url=running.url, timeout=20, cookies={"zvonar": token},
            headers={"accept-language": "en", "sec-fetch-site": "same-origin"},
        )  # fmt: skip
        running.clients.append(self)  # closed with the service

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        answer = self.http.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, expected: int = 200, accept: str = "text/html", **fields: Any) -> httpx2.Response:
        answer = self.http.post(path, data=fields, headers={"accept": accept})
        assert answer.status_code == expected, answer.text
        return answer

    def known(self, name: str) -> Account:
        with self.database.read() as db:
            account = accounts.by_name(db, name)
        assert account is not None
        return account
