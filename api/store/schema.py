"""The tables. What changes here changes in `api/migrations` too; a test compares the two.

    accounts 1--* records
    accounts 1--* requests 1--* api_calls 1--* calls 1--* facts
                                api_calls 1--* outbox

A *request* is what one `create` asked for; an *api-call* is one callee of it; a *call* is one dialing of that callee,
and a row of the dial queue. Times are Unix seconds. Money is exact: ten-thousandths, as whole numbers.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

MONEY_SCALE = 10_000


class CallStatus(StrEnum):
    """`status` of a call in the contract."""

    CREATED = "created"  # waits in the queue
    PROCESSED = "processed"  # claimed by a node
    STARTED = "started"  # the INVITE is out
    ANSWERED = "answered"
    FINISHED = "finished"  # over, and was answered
    CANCELED = "canceled"  # over, and was not


OVER = (CallStatus.FINISHED, CallStatus.CANCELED)


class Money(TypeDecorator[Decimal]):
    """A decimal that the database can add up without rounding."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int((value * MONEY_SCALE).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)) / MONEY_SCALE


# SQLite numbers rows by itself only where the key is INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def _of(table: str, *, name: str | None = None) -> Column[int]:
    return Column(name or f"{table.removesuffix('s')}_id", Id, ForeignKey(f"{table}.id"), nullable=False)


accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("api_key", String(60), nullable=False, unique=True),
    Column("webhook_secret", String(100), nullable=False),
    Column("balance", Money, nullable=False),
    Column("moderated", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    sqlite_autoincrement=True,
)

records = Table(
    "records",
    metadata,
    _id(),
    _of("accounts"),
    Column("name", String(200), nullable=False),
    Column("status", String(20), nullable=False),  # ready, moderation, rejected, error
    Column("moderator_comment", Text, nullable=False),
    Column("cost", Money, nullable=False),
    Column("record_text", Text, nullable=False),
    Column("gender", Integer, nullable=False),
    Column("content", String(64), nullable=False),  # SHA-256 of the file, which is its name in the store
    Column("token", String(64), nullable=False, unique=True),  # in the URL that serves it
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Index(None, "account_id", "id"),
    sqlite_autoincrement=True,
)

requests = Table(
    "requests",
    metadata,
    _id(),
    _of("accounts"),
    Column("options", JSON, nullable=False),  # the fields of `create` as they are told back
    Column("script", JSON, nullable=False),  # ivr.parser.dump
    Column("menu", JSON, nullable=False),  # block of the script -> what the contract says of it
    Column("created_at", Double, nullable=False),
    sqlite_autoincrement=True,
)

api_calls = Table(
    "api_calls",
    metadata,
    _id(),
    _of("requests"),
    _of("accounts"),
    Column("phone", String(20), nullable=False),
    Column("webhook_try", Integer, nullable=False, default=0),
    Column("webhook_sent", Integer, nullable=False, default=0),
    Column("created_at", Double, nullable=False),
    Index(None, "request_id"),
    Index(None, "account_id", "id"),
    sqlite_autoincrement=True,
)

calls = Table(
    "calls",
    metadata,
    _id(),
    _of("api_calls"),
    _of("accounts"),
    Column("phone", String(20), nullable=False),
    Column("outgoing", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("due_at", Double, nullable=False),  # not before
    Column("owner", String(40)),  # the node that claimed it
    Column("invited_at", Double),  # the fence: set once, just before the INVITE
    Column("started_at", Double),
    Column("answered_at", Double),
    Column("finished_at", Double),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("disposition", String(30)),
    Column("sip_code", Integer),
    Column("hangup_cause", Integer),
    Column("heard_ms", Integer, nullable=False, default=0),
    Column("answers", JSON, nullable=False, default=list),  # digits that chose a block, in order
    Column("path", JSON, nullable=False, default=list),  # blocks passed, in order
    Column("tags", JSON, nullable=False, default=list),
    Column("to_block", Integer, nullable=False, default=0),
    Column("cost", Money, nullable=False, default=Decimal(0)),
    Index(None, "api_call_id"),
    Index(
        "ix_calls_queue", "outgoing", "due_at", "id",
        sqlite_where=text("status = 'created'"), postgresql_where=text("status = 'created'"),
    ),
    Index(
        "ix_calls_open", "account_id", "owner",
        sqlite_where=text("finished_at IS NULL"), postgresql_where=text("finished_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)  # fmt: skip

facts = Table(
    "facts",
    metadata,
    Column("call_id", Id, ForeignKey("calls.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", JSON, nullable=False),
)

stop_list = Table(
    "stop_list",
    metadata,
    _id(),
    _of("accounts"),
    Column("phone", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("account_id", "phone"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    _of("accounts"),
    _of("api_calls"),
    Column("kind", String(20), nullable=False),  # end, block
    Column("url", Text, nullable=False),
    Column("host", String(300), nullable=False),  # of the url: one slow receiver must not hold up another's
    Column("headers", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_at", Double, nullable=False),
    Column("owner", String(40)),  # the node that delivers it just now
    Column("done_at", Double),  # delivered, or given up
    Column("delivered", Boolean, nullable=False, default=False),
    Column("created_at", Double, nullable=False),
    Index(
        "ix_outbox_waiting", "api_call_id", "id",
        sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL"),
    ),
    Index(
        "ix_outbox_due", "next_at",
        sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)  # fmt: skip

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("host", String(200), nullable=False),  # where process ids mean the same
    Column("pid", Integer, nullable=False),
    Column("born", String(40), nullable=False),  # when the process began, as its host counts
    Column("beat_at", Double, nullable=False),
)
