"""Who is signed in: sessions in cookies, links that let in once, and how long who failed has to wait.

Only hashes of tokens are kept, made with the service's secret: a copy of the database lets nobody in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from api.store.schema import links, sessions
from api.store.seal import Seal

KEPT_S = 30 * 86_400  # a session that is not used so long is over
SEEN_EVERY_S = 60.0
LINK_LASTS_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in."""

    id: int
    account_id: int
    token_hash: str
    created_at: float
    seen_at: float
    address: str
    agent: str


def begin(db: Connection, seal: Seal, account_id: int, address: str, agent: str, now: float) -> str:
    """A new session; its token, for the cookie."""
    token = secrets.token_urlsafe(32)
    row = {
        "account_id": account_id, "token_hash": seal.hash(token), "created_at": now, "seen_at": now,
        "address": address[:60], "agent": agent[:300],
    }  # fmt: skip
    db.execute(insert(sessions).values(row))
    return token


def find(db: Connection, seal: Seal, token: str, now: float) -> Session | None:
    """The session of a token, unless it was ended or forgotten."""
    if not 20 <= len(token) <= 100:
        return None
    mine = select(sessions).where(sessions.c.token_hash == seal.hash(token), sessions.c.seen_at > now - KEPT_S)
    row = db.execute(mine).one_or_none()
    return Session(*row) if row else None


def seen(db: Connection, session: Session, now: float) -> None:
    """It is in use; for `SEEN_EVERY_S` that need not be written again."""
    db.execute(update(sessions).where(sessions.c.id == session.id).values(seen_at=now))
    db.execute(delete(sessions).where(sessions.c.account_id == session.account_id, sessions.c.seen_at <= now - KEPT_S))


def of(db: Connection, account_id: int, now: float) -> list[Session]:
    """An account's sessions, the one used last first."""
    mine = select(sessions).where(sessions.c.account_id == account_id, sessions.c.seen_at > now - KEPT_S)
    return [Session(*row) for row in db.execute(mine.order_by(sessions.c.seen_at.desc(), sessions.c.id.desc()))]


def end(db: Connection, account_id: int, number: int) -> None:
    """Sign one of the account's sessions out."""
    db.execute(delete(sessions).where(sessions.c.account_id == account_id, sessions.c.id == number))


def end_token(db: Connection, seal: Seal, token: str) -> None:
    """Sign out whoever has this token."""
    if token:
        db.execute(delete(sessions).where(sessions.c.token_hash == seal.hash(token)))


def end_others(db: Connection, account_id: int, number: int) -> None:
    """Sign out all of the account's sessions but this one."""
    db.execute(delete(sessions).where(sessions.c.account_id == account_id, sessions.c.id != number))


def end_all(db: Connection, account_id: int) -> None:
    """Sign out everybody of the account; links that were not used die too."""
    db.execute(delete(sessions).where(sessions.c.account_id == account_id))
    db.execute(delete(links).where(links.c.account_id == account_id))


def forget(db: Connection, now: float) -> None:
    """Sessions and links that let nobody in any more."""
    db.execute(delete(sessions).where(sessions.c.seen_at <= now - KEPT_S))
    db.execute(delete(links).where(links.c.expires_at <= now))


def make_link(db: Connection, seal: Seal, account_id: int, now: float) -> str:
    """A token that lets in once, within `LINK_LASTS_S`; those made before it die."""
    token = secrets.token_urlsafe(24)
    db.execute(delete(links).where(links.c.account_id == account_id))
    row = {"token_hash": seal.hash(token), "account_id": account_id, "expires_at": now + LINK_LASTS_S}
    db.execute(insert(links).values(row))
    return token


def link_of(db: Connection, seal: Seal, token: str, now: float) -> int | None:
    """The account that a link lets in; it is not used up by that."""
    mine = select(links.c.account_id).where(
        links.c.token_hash == seal.hash(token), links.c.used_at.is_(None), links.c.expires_at > now
    )
    return db.execute(mine).scalar_one_or_none()


def use_link(db: Connection, seal: Seal, token: str, now: float) -> int | None:
    """The account that it lets in, for one who asks; None for all others."""
    mine = update(links).where(
        links.c.token_hash == seal.hash(token), links.c.used_at.is_(None), links.c.expires_at > now
    )
    return db.execute(mine.values(used_at=now).returning(links.c.account_id)).scalar_one_or_none()
