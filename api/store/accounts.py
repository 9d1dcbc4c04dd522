"""Accounts: who may ask for calls, by which key, in which role."""

from __future__ import annotations

import base64
import re
import secrets
import string
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.store import money
from api.store.schema import accounts
from api.store.seal import Seal

KEY_LENGTH = 60
DEFAULT_TIMEZONE = "Europe/Moscow"
_ALPHABET = string.ascii_letters + string.digits
_KEY = re.compile(rf"[A-Za-z0-9]{{{KEY_LENGTH}}}")


class Role(StrEnum):
    """What an account may do besides calling."""

    USER = "user"
    MODERATOR = "moderator"  # decides about accounts and clips
    OPERATOR = "operator"  # runs the service: what a moderator may, too


class AccountStatus(StrEnum):
    """What moderation says of an account."""

    MODERATION = "moderation"  # waits for a moderator
    READY = "ready"
    REJECTED = "rejected"


class AccountExists(Exception):
    """There is an account of that name."""


@dataclass(frozen=True, slots=True)
class Account:
    """One row of accounts. `webhook_secret` signs its webhooks (Standard Webhooks, "whsec_...")."""

    id: int
    name: str
    key_hash: str
    key_sealed: str
    webhook_secret: str
    balance: Decimal
    held: Decimal
    role: str
    status: str
    moderator_comment: str
    timezone: str
    outgoing: str | None
    created_at: float
    password: str | None

    @property
    def moderated(self) -> bool:
        """Its clips need no moderation of their own."""
        return self.status == AccountStatus.READY

    @property
    def may_moderate(self) -> bool:
        """It decides about others."""
        return self.role in (Role.MODERATOR, Role.OPERATOR)

    def __repr__(self) -> str:  # the secret belongs in no log
        return f"Account({self.id}, {self.name!r})"


def add(
    db: Connection,
    seal: Seal,
    name: str,
    *,
    balance: Decimal = Decimal(0),
    moderated: bool = False,
    role: Role = Role.USER,
    timezone: str = DEFAULT_TIMEZONE,
    outgoing: str | None = None,
    now: float,
) -> tuple[Account, str]:
    """A new account and its key; raises AccountExists."""
    key = _new_key()
    row: dict[str, Any] = {
        "name": name, "key_hash": seal.hash(key), "key_sealed": seal.close(key),
        "webhook_secret": _new_secret(),
        "balance": Decimal(0), "held": Decimal(0), "role": role.value,
        "status": (AccountStatus.READY if moderated else AccountStatus.MODERATION).value,
        "moderator_comment": "", "timezone": timezone, "outgoing": outgoing, "created_at": now,
    }  # fmt: skip
    try:
        with db.begin_nested():
            number = db.execute(insert(accounts).values(row)).inserted_primary_key
    except IntegrityError as error:
        raise AccountExists(name) from error
    assert number is not None
    if balance:
        money.credit(db, number[0], balance, "opening balance", now)
    return by_id(db, number[0]), key


def renew_key(db: Connection, seal: Seal, number: int) -> str:
    """A new key; the old one dies at once."""
    key = _new_key()
    changed = {"key_hash": seal.hash(key), "key_sealed": seal.close(key)}
    db.execute(update(accounts).where(accounts.c.id == number).values(changed))
    return key


def turn_secret(db: Connection, number: int) -> str:
    """A new signing secret for webhooks; the old one signs nothing any more."""
    secret = _new_secret()
    db.execute(update(accounts).where(accounts.c.id == number).values(webhook_secret=secret))
    return secret


def set_password(db: Connection, number: int, hashed: str) -> None:
    """What `api.password` has made of it."""
    db.execute(update(accounts).where(accounts.c.id == number).values(password=hashed))


def set_timezone(db: Connection, number: int, timezone: str) -> None:
    """In which its calling hours are meant from now on."""
    db.execute(update(accounts).where(accounts.c.id == number).values(timezone=timezone))


def set_outgoing(db: Connection, number: int, phone: str | None) -> None:
    """The number to call from where a request names none."""
    db.execute(update(accounts).where(accounts.c.id == number).values(outgoing=phone))


def by_key(db: Connection, seal: Seal, key: str) -> Account | None:
    """The account whose key that is."""
    if not _KEY.fullmatch(key):
        return None
    row = db.execute(select(accounts).where(accounts.c.key_hash == seal.hash(key))).one_or_none()
    return Account(*row) if row else None


def by_name(db: Connection, name: str) -> Account | None:
    """The account of that name."""
    row = db.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    return Account(*row) if row else None


def by_id(db: Connection, number: int) -> Account:
    """The account of that number."""
    return Account(*db.execute(select(accounts).where(accounts.c.id == number)).one())


def find(db: Connection, number: int) -> Account | None:
    """The account of that number; None if there is none."""
    row = db.execute(select(accounts).where(accounts.c.id == number)).one_or_none()
    return Account(*row) if row else None


def every(db: Connection) -> list[Account]:
    """All accounts, in order."""
    return [Account(*row) for row in db.execute(select(accounts).order_by(accounts.c.id))]


def in_moderation(db: Connection, most: int | None = None) -> list[Account]:
    """The accounts that wait for a moderator, in order."""
    waiting = select(accounts).where(accounts.c.status == AccountStatus.MODERATION).order_by(accounts.c.id).limit(most)
    return [Account(*row) for row in db.execute(waiting)]


def decide(db: Connection, number: int, status: AccountStatus, comment: str, *, waiting: bool = False) -> bool:
    """What a moderator says of an account; false if there is none; with `waiting`, none that still waits for one."""
    mine = update(accounts).where(accounts.c.id == number)
    if waiting:
        mine = mine.where(accounts.c.status == AccountStatus.MODERATION)
    return db.execute(mine.values(status=status.value, moderator_comment=comment)).rowcount == 1


def exist(db: Connection) -> bool:
    """There is an account at all."""
    return db.execute(select(accounts.c.id).limit(1)).first() is not None


def _new_key() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_LENGTH))


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
