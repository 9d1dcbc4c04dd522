"""Who asks: the key in the field `apiKey` (or `apikey`), or in the header `Authorization: Bearer KEY`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from api.problems import Code
from api.refusal import Refusal
from api.store import accounts
from api.store.accounts import Account
from api.store.seal import Seal


def key_of(values: Mapping[str, Any], authorization: str) -> str:
    """The key that came with the request; Refusal if none did.

    That of the header counts, if it looks like one of ours: what stands between may send other credentials there.
    """
    fields = [values[name] for name in ("apiKey", "apikey") if values.get(name) is not None]
    if not all(isinstance(field, str) for field in fields):
        raise Refusal(Code.KEY_WRONG, "apiKey is wrong: no account has this key")
    scheme, _, token = authorization.partition(" ")
    header = token.strip() if scheme.lower() == "bearer" else ""
    key = next((field.strip() for field in fields if field.strip()), "")
    if len(header) == accounts.KEY_LENGTH or not key:
        key = header
    if key:
        return key
    raise Refusal(Code.KEY_MISSING, "apiKey is missing: send your account's key in the field `apiKey`")


def has_key(values: Mapping[str, Any], authorization: str) -> bool:
    """A key came with the request, right or wrong."""
    named = any(values.get(name) not in (None, "") for name in ("apiKey", "apikey"))
    return named or authorization.partition(" ")[0].lower() == "bearer"


def account_of(db: Connection, seal: Seal, key: str) -> Account:
    """The account of a key; Refusal for a wrong one."""
    account = accounts.by_key(db, seal, key)
    if account is None:
        raise Refusal(Code.KEY_WRONG, "apiKey is wrong: no account has this key")
    return account
