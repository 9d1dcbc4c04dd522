"""Passwords: argon2id with OWASP's least parameters, and no more than a few runs at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.messages import Message
from api.problems import Code
from api.refusal import Refusal

SHORTEST, LONGEST = 10, 200
AT_ONCE = 2  # each takes 19 MiB and some 20 ms of a core, which calls need too
_WAIT_S = 5.0

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_turns = threading.BoundedSemaphore(AT_ONCE)
# Of no password: looking at it takes as long as looking at a real one, so time does not tell who has an account.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$Zm9yIG5vYm9keSB3aG8gYXNrcyBldmVyLCAzMmI"


def problem(password: str) -> Message | None:
    """Why it cannot be taken."""
    if len(password) < SHORTEST:
        return Message("A password has at least {least} characters", least=SHORTEST)
    if len(password) > LONGEST:
        return Message("is longer than {most} characters", most=LONGEST)
    if len(set(password)) < 4:
        return Message("This password is too easy to guess")
    return None


def hashed(password: str) -> str:
    """What is kept of it. Blocks; Refusal while too many others are at it."""
    with _turn():
        return _hasher.hash(password)


def right(password: str, kept: str | None) -> bool:
    """Whether that is the password; takes as long where there is none. Blocks; Refusal while too many are at it."""
    with _turn():
        try:
            return _hasher.verify(kept or _NOBODYS, password[: LONGEST + 1]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def busy() -> Refusal:
    """What those get who come when too many others are at it."""
    return Refusal(Code.STORE_UNAVAILABLE, "Many people sign in just now. Try again in some seconds.")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_WAIT_S):
        raise busy()
    try:
        yield
    finally:
        _turns.release()
