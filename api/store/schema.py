"""The tables. What changes here changes in `api/migrations` too; a test compares the two.

    accounts 1--* records, templates, ledger, stop_list, replays
    accounts 1--* sessions, links, sent, caught, refusals; accounts 1--1 receivers
    records *--* requests, by plays
    accounts 1--* requests 1--* api_calls 1--* calls 1--* facts
                                               calls 1--1 recordings
                                api_calls 1--* outbox 1--* tries

A *request* is what one `create` asked for; an *api-call* is one callee of it; a *call* is one dialing of that callee,
and a row of the dial queue. A *lane* is the part of the queue that one account has on one outgoing number.
Times are Unix seconds. Money is exact: ten-thousandths, as whole numbers.

Where several rows are locked in one transaction it is in this order, so that no two wait for each other: pace, calls,
accounts, lanes. A claim goes the other way, from lanes to calls, and waits for nobody (SKIP LOCKED).
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
    Column("key_hash", String(60), nullable=False),  # of the apiKey, with the service's secret: to look it up
    Column("key_sealed", Text, nullable=False),  # the apiKey, encrypted: its owner may look at it again
    Column("webhook_secret", String(100), nullable=False),
    Column("balance", Money, nullable=False),
    Column("held", Money, nullable=False, server_default="0"),  # of the balance: for calls that wait or go on
    Column("role", String(20), nullable=False, server_default="user"),
    Column("status", String(20), nullable=False, server_default="moderation"),  # moderation, ready, rejected
    Column("moderator_comment", Text, nullable=False, server_default=""),
    Column("timezone", String(60), nullable=False, server_default="Europe/Moscow"),
    Column("outgoing", String(20)),  # the number to call from where a request names none
    Column("created_at", Double, nullable=False),
    Column("password", Text),  # argon2; null: it can sign in by a link only
    UniqueConstraint("key_hash", name="uq_accounts_api_key"),  # its first name: SQLite cannot rename a constraint
    sqlite_autoincrement=True,
)

ledger = Table(
    "ledger",
    metadata,
    _id(),
    _of("accounts"),
    Column("kind", String(20), nullable=False),  # credit, call, clip
    Column("amount", Money, nullable=False),  # what came (above zero) or went
    Column("balance", Money, nullable=False),  # after it
    Column("call_id", Id, ForeignKey("calls.id")),
    Column("record_id", Id, ForeignKey("records.id")),
    Column("comment", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "kind", "id"),
    Index(None, "account_id", "created_at"),
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
    Column("language", String(20), nullable=False, server_default=""),  # of a clip made from text
    Column("content", String(64), nullable=False),  # SHA-256 of the file, which is its name in the store
    Column("token", String(64), nullable=False, unique=True),  # in the URL that serves it
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
    Column("searched", Text, nullable=False, server_default=""),  # name and text, case folded as databases cannot
    Index(None, "account_id", "id"),
    Index(
        "ix_records_moderation", "id",
        sqlite_where=text("status = 'moderation'"), postgresql_where=text("status = 'moderation'"),
    ),
    sqlite_autoincrement=True,
)  # fmt: skip

templates = Table(
    "templates",
    metadata,
    _id(),
    _of("accounts"),
    Column("name", String(200), nullable=False),
    Column("fields", JSON, nullable=False),  # of `create`, without the callees
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
    Column("template_id", Id, ForeignKey("templates.id")),
    Column("created_at", Double, nullable=False),
    sqlite_autoincrement=True,
)

plays = Table(  # which records a request plays
    "plays",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("request_id", Id, ForeignKey("requests.id"), primary_key=True, autoincrement=False),
)

api_calls = Table(
    "api_calls",
    metadata,
    _id(),
    _of("requests"),
    _of("accounts"),
    Column("phone", String(20), nullable=False),
    Column("outgoing", String(20), nullable=False, server_default=""),
    Column("price", Money, nullable=False, server_default="0"),  # of a started step
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
    Column("request_id", Id, ForeignKey("requests.id")),
    _of("api_calls"),
    _of("accounts"),
    Column("phone", String(20), nullable=False),
    Column("outgoing", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("waits_for", String(20), nullable=False, server_default=""),  # plan, window, redial; "" is its turn
    Column("due_at", Double, nullable=False),  # not before
    Column("closes_at", Double),  # and not from then on: the end of the window in which `due_at` lies
    Column("owner", String(40)),  # the node that claimed it
    Column("trunk", String(100)),  # the trunk for which it was claimed
    Column("invited_at", Double),  # the fence: set once, just before the INVITE
    Column("started_at", Double),
    Column("answered_at", Double),
    Column("finished_at", Double),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("disposition", String(30)),
    Column("sip_code", Integer),
    Column("hangup_cause", Integer),
    Column("heard_ms", Integer, nullable=False),
    Column("answers", JSON, nullable=False),  # digits that chose a block, in order
    Column("path", JSON, nullable=False),  # blocks passed, in order
    Column("tags", JSON, nullable=False),
    Column("to_block", Integer, nullable=False),
    Column("manager", String(20)),  # the number of the one who answered, else of the last one tried
    Column("manager_started_at", Double),
    Column("manager_answered_at", Double),
    Column("manager_status", String(30)),  # the disposition of the manager's leg
    Column("held", Money, nullable=False, server_default="0"),  # of the account's balance, until it is over
    Column("cost", Money, nullable=False),
    Index(None, "api_call_id"),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "phone", "id"),
    Index(
        "ix_calls_results", "account_id", "disposition", "id",
        sqlite_where=text("disposition IS NOT NULL"), postgresql_where=text("disposition IS NOT NULL"),
    ),
    Index(
        "ix_calls_going_on_of_account", "account_id", "id",
        sqlite_where=text("finished_at IS NULL AND status <> 'created'"),
        postgresql_where=text("finished_at IS NULL AND status <> 'created'"),
    ),
    Index(
        "ix_calls_waiting", "account_id", "id",
        sqlite_where=text("status = 'created'"), postgresql_where=text("status = 'created'"),
    ),
    Index(
        "ix_calls_plans", "account_id", "waits_for", "due_at", "id",
        sqlite_where=text("status = 'created'"), postgresql_where=text("status = 'created'"),
    ),
    Index(
        "ix_calls_queue", "outgoing", "account_id", "due_at", "id",
        sqlite_where=text("status = 'created'"), postgresql_where=text("status = 'created'"),
    ),
    Index(
        "ix_calls_of_request", "request_id",
        sqlite_where=text("status = 'created'"), postgresql_where=text("status = 'created'"),
    ),
    Index(
        "ix_calls_going_on", "trunk", "outgoing",
        sqlite_where=text("owner IS NOT NULL"), postgresql_where=text("owner IS NOT NULL"),
    ),
    Index(  # the last hour of the trunks is counted in it alone
        "ix_calls_over", "finished_at", "trunk", "disposition", "started_at",
        sqlite_where=text("finished_at IS NOT NULL"), postgresql_where=text("finished_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)  # fmt: skip

lanes = Table(
    "lanes",
    metadata,
    Column("outgoing", String(20), primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("next_due", Double),  # no call of the lane is due before; null: none waits
    Column("served_at", Double, nullable=False, server_default="0"),  # when one was claimed last
    Index(None, "outgoing", "next_due"),
)

pace = Table(
    "pace",
    metadata,
    Column("name", String(120), primary_key=True),  # trunk:NAME, number:DIGITS
    Column("next_at", Double, nullable=False),  # the next start slot (GCRA)
)

recordings = Table(  # of calls: the sound of both directions
    "recordings",
    metadata,
    Column("call_id", Id, ForeignKey("calls.id"), primary_key=True, autoincrement=False),
    Column("token", String(64), nullable=False, unique=True),  # in the URL that serves it
    Column("file", String(100), nullable=False),  # its name in the folder
    Column("state", String(20), nullable=False),  # saved, incomplete, failed
    Column("why", Text, nullable=False),  # it is not all there, or not there at all
    Column("began_at", Double, nullable=False),  # when its first sample was heard
    Column("duration_ms", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
    Index(  # what is kept, oldest first, and how much it is
        "ix_recordings_kept", "created_at", "bytes",
        sqlite_where=text("deleted_at IS NULL"), postgresql_where=text("deleted_at IS NULL"),
    ),
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
    Index(None, "account_id", "id"),
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
    Column("began_at_try", Integer, nullable=False, server_default="0"),  # sent again by hand: pauses begin anew
    Column("next_at", Double, nullable=False),
    Column("owner", String(40)),  # the node that delivers it just now
    Column("done_at", Double),  # delivered, or given up
    Column("delivered", Boolean, nullable=False, default=False),
    Column("created_at", Double, nullable=False),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "host", "id"),
    Index(None, "api_call_id", "id"),
    Index(
        "ix_outbox_failed", "account_id", "id",
        sqlite_where=text("delivered IS 0 AND tries > 0"), postgresql_where=text("delivered IS false AND tries > 0"),
    ),
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

tries = Table(
    "tries",
    metadata,
    _id(),
    Column("outbox_id", Id, ForeignKey("outbox.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("headers", JSON, nullable=False),  # as they were sent; the body is the webhook's, with `number` in it
    Column("status", Integer),  # null: no answer came
    Column("answer", Text, nullable=False),  # the beginning of the answer's body, or why there is none
    Index(None, "outbox_id", "number"),
    sqlite_autoincrement=True,
)

replays = Table(
    "replays",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("key", String(255), primary_key=True),  # Idempotency-Key
    Column("fingerprint", String(64), nullable=False),  # of the request
    Column("reply", Text, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

# --- what the page needs ---------------------------------------------------------------------------------------

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _of("accounts"),
    Column("token_hash", String(64), nullable=False, unique=True),  # of the cookie, with the service's secret
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("address", String(60), nullable=False),
    Column("agent", String(300), nullable=False),
    Index(None, "account_id"),
    sqlite_autoincrement=True,
)

links = Table(  # to sign in by, once
    "links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _of("accounts"),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
)

attempts = Table(  # failures to sign in
    "attempts",
    metadata,
    Column("name", String(260), primary_key=True),  # account:NAME, address:IP
    Column("failures", Integer, nullable=False),
    Column("failed_at", Double, nullable=False),
    Column("free_at", Double, nullable=False),  # no try before
)

sent = Table(  # requests that were sent from the page
    "sent",
    metadata,
    _id(),
    _of("accounts"),
    Column("method", String(40), nullable=False),  # of the contract
    Column("body", Text, nullable=False),  # JSON, without the key
    Column("status", Integer, nullable=False),  # HTTP's
    Column("reply", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Index(None, "account_id", "id"),
    sqlite_autoincrement=True,
)

receivers = Table(  # an address of the account's own, to try webhooks against
    "receivers",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("token", String(64), nullable=False, unique=True),  # in its address
    Column("status", Integer, nullable=False),  # what it answers with
    Column("delay_ms", Integer, nullable=False),  # and after how long
)

caught = Table(  # what came to a receiver
    "caught",
    metadata,
    _id(),
    _of("accounts"),
    Column("at", Double, nullable=False),
    Column("method", String(20), nullable=False),  # of HTTP
    Column("query", Text, nullable=False),  # behind the ? of the address
    Column("headers", JSON, nullable=False),  # pairs of name and value, as they came
    Column("body", Text, nullable=False),
    Column("signature", String(10), nullable=False),  # right, wrong, stale, none
    Column("status", Integer, nullable=False),  # what it was answered with
    Index(None, "account_id", "id"),
    sqlite_autoincrement=True,
)

refusals = Table(  # how often the account's requests were refused
    "refusals",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),  # Unix time / 3600
    Column("method", String(40), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("count", Integer, nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("host", String(200), nullable=False),  # where process ids mean the same
    Column("pid", Integer, nullable=False),
    Column("born", String(40), nullable=False),  # when the process began, as its host counts
    Column("beat_at", Double, nullable=False),
    Column("version", String(40), nullable=False, server_default=""),
    Column("trunks", JSON),  # name -> {up, reason, at}: what its registrations have come to
)
