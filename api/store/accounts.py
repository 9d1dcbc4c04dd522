"""Accounts: who may ask for calls, and with what money."""

from __future__ import annotations

import base64
import re
import secrets
import string
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.store.schema import accounts

KEY_LENGTH = 60
_ALPHABET = string.ascii_letters + string.digits
_KEY = re.compile(rf"[A-Za-z0-9]{{{KEY_LENGTH}}}")


class AccountExists(Exception):
    """There is an account of that name."""


@dataclass(frozen=True, slots=True)
class Account:
    """One row of accounts. `webhook_secret` signs its webhooks (Standard Webhooks, "whsec_...")."""

    id: int
    name: str
    api_key: str
    webhook_secret: str
    balance: Decimal
    moderated: bool
    created_at: float

    def __repr__(self) -> str:  # the key and the secret belong in no log
        return f"Account({self.id}, {self.name!r})"


def add(db: Connection, name: str, balance: Decimal, moderated: bool, now: float) -> Account:
    """A new account with a new key; raises AccountExists."""
    key = "".join(secrets.choice(_ALPHABET) for _ in range(KEY_LENGTH))
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    row = {
        "name": name, "api_key": key, "webhook_secret": secret,
        "balance": balance, "moderated": moderated, "created_at": now,
    }  # fmt: skip
    try:
        number = db.execute(insert(accounts).values(row)).inserted_primary_key
    except IntegrityError as error:
        raise AccountExists(name) from error
    assert number is not None
    return Account(id=number[0], name=name, api_key=key, webhook_secret=secret, balance=balance,
                   moderated=moderated, created_at=now)  # fmt: skip


def by_key(db: Connection, key: str) -> Account | None:
    """The account whose key that is."""
    if not _KEY.fullmatch(key):
        return None
    row = db.execute(select(accounts).where(accounts.c.api_key == key)).one_or_none()
    return Account(*row) if row else None


def by_id(db: Connection, number: int) -> Account:
    """The account of that number."""
    return Account(*db.execute(select(accounts).where(accounts.c.id == number)).one())


def charge(db: Connection, number: int, amount: Decimal) -> None:
    """Take `amount` off the balance."""
    if amount:
        statement = update(accounts).where(accounts.c.id == number)
        db.execute(statement.values(balance=accounts.c.balance - amount))


def exist(db: Connection) -> bool:
    """There is an account at all."""
    return db.execute(select(accounts.c.id).limit(1)).first() is not None
