"""The service that the browser's tests look at: a real `zvonar serve` on the sandbox, and the people who use it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
from chaos import Node

from api.store import accounts, sessions
from api.store.accounts import Role
from api.store.database import Database


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the service, and the token of a session of it."""

    name: str
    id: int
    key: str
    url: str
    session: str

    def post(self, method: str, **fields: Any) -> Any:
        """`data` of what a method of the contract answers; fails where it refuses."""
        told = httpx2.post(f"{self.url}/apiCalls/{method}", json={"apiKey": self.key, **fields}, timeout=20).json()
        assert told["status"] == "success", told
        return told["data"]

    def record(self, content: bytes, name: str = "clip") -> int:
        """A clip of that WAV."""
        told = httpx2.post(
            f"{self.url}/apiCalls/createRecord",
            data={"apiKey": self.key, "name": name, "source": "file"}, files={"file": ("clip.wav", content)},
            timeout=20,
        ).json()  # fmt: skip
        assert told["status"] == "success", told
        return int(told["data"]["id"])

    def until_over(self, number: int, within_s: float = 40.0) -> dict[str, Any]:
        """What `get` says of a call that is over."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            told = dict(self.post("get", apiCallIdList=[number])[0])
            if told["calls"] and told["calls"][-1]["status"] in ("finished", "canceled"):
                return told
            time.sleep(0.05)
        raise AssertionError(f"call {number} is not over")


class Served(Node):
    """One `zvonar serve` on the sandbox, with a store of its own; `config`: more of its file. `close` ends it."""

    def __init__(self, folder: Path, config: str = "") -> None:
        store = f"sqlite:///{folder}/zvonar.db"
        super().__init__("served", folder, f'[store]\nurl = "{store}"\n{config}')
        self._folder = folder
        self._database = Database(store, folder)
        self._people: dict[str, Person] = {}
        self.start()

    def account(
        self, name: str = "anna", role: str = Role.USER, balance: str = "1000", moderated: bool = True
    ) -> Person:
        """The account of that name, with a session; made when it is first asked for."""
        if name not in self._people:
            now, database = time.time(), self._database
            with database.write() as db:
                made, key = accounts.add(
                    db, database.seal, name, balance=Decimal(balance), moderated=moderated, role=Role(role), now=now
                )
                session = sessions.begin(db, database.seal, made.id, "127.0.0.1", "tests", now)
            self._people[name] = Person(name, made.id, key, self.url, session)
        return self._people[name]

    def link(self, name: str) -> str:
        """The address that lets that account in once."""
        with self._database.write() as db:
            token = sessions.make_link(db, self._database.seal, self._people[name].id, time.time())
        return f"{self.url}/link/{token}"

    def restart(self) -> None:
        """Ended as by a system's stop, and started again at the same address."""
        self.end()
        self.start()

    def zvonar(self, *arguments: str) -> dict[str, Any]:
        """What a command of `zvonar` says as JSON, with the configuration of this service."""
        command = [sys.executable, "-m", "zvonar", *arguments, "--json", "--config", str(self.config)]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    def close(self) -> None:
        """End it."""
        self._database.dispose()
        self.end()
