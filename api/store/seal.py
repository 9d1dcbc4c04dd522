"""The service's secret: API keys are looked up by a hash that needs it, and kept encrypted with it.

It comes from the environment (`ZVONAR_SECRET`), else from the file `[store] secret_file`, else from `secret.key` beside
the database, made at the first start. Whoever has a copy of the database alone has no key of anybody.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from engine.config import ConfigError

SECRET_ENV = "ZVONAR_SECRET"
MIN_LENGTH = 32
FILE_NAME = "secret.key"


class Seal:
    """Hashes and encrypts with one secret."""

    def __init__(self, secret: str) -> None:
        raw = secret.encode()
        self._hash_key = hmac.digest(raw, b"zvonar: look up", "sha256")
        self._fernet = Fernet(base64.urlsafe_b64encode(hmac.digest(raw, b"zvonar: encrypt", "sha256")))

    def hash(self, key: str) -> str:
        """What the key is looked up by: 43 characters."""
        digest = hmac.digest(self._hash_key, key.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def close(self, key: str) -> str:
        """The key, encrypted."""
        return self._fernet.encrypt(key.encode()).decode()

    def open(self, sealed: str) -> str:
        """The key again; ConfigError under another secret."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise ConfigError(
                f"the secret is not the one that this database was made with; restore ${SECRET_ENV} or {FILE_NAME}"
            ) from error

    @property
    def mark(self) -> str:
        """Tells one secret from another, and nothing of either."""
        return self.hash("which secret is this")


def load(folder: Path, file: Path | None) -> Seal:
    """The seal of this service; `folder` is where the database lies. Raises ConfigError."""
    given = os.environ.get(SECRET_ENV)
    if given:
        return Seal(_checked(given, f"${SECRET_ENV}"))
    path = file or folder / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        return Seal(_checked(path.read_text("ascii").strip(), str(path)))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(
            f"{path}: {reason}; name a file that can be read and written, or set ${SECRET_ENV}"
        ) from error


def _checked(secret: str, source: str) -> str:
    if len(secret) < MIN_LENGTH:
        raise ConfigError(
            f"{source}: the secret is shorter than {MIN_LENGTH} characters; `openssl rand -hex 32` makes one"
        )
    return secret


def _make(path: Path) -> None:
    """Whole or not at all, and the same for all who start at once: it is linked to its name, and the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as writer:
            writer.write(secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
