"""The whole service: sealed keys, money, templates, lanes of the queue, tries of webhooks, replies to repeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _accounts()
    _records()
    _queue()
    _webhooks()
    _new_tables()


def _accounts() -> None:
    op.alter_column("accounts", "api_key", new_column_name="key_hash")
    op.add_column("accounts", sa.Column("key_sealed", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("held", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("accounts", sa.Column("role", sa.String(20), nullable=False, server_default="user"))
    op.add_column("accounts", sa.Column("status", sa.String(20), nullable=False, server_default="moderation"))
    op.add_column("accounts", sa.Column("moderator_comment", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("timezone", sa.String(60), nullable=False, server_default="Europe/Moscow"))
    op.add_column("accounts", sa.Column("outgoing", sa.String(20), nullable=True))
    db = op.get_bind()
    seal = context.config.attributes["seal"]
    for number, key, moderated in db.execute(sa.text("SELECT id, key_hash, moderated FROM accounts")).all():
        db.execute(
            sa.text("UPDATE accounts SET key_hash = :hash, key_sealed = :sealed, status = :status WHERE id = :id"),
            {
                "hash": seal.hash(key), "sealed": seal.close(key), "status": "ready" if moderated else "moderation",
                "id": number,
            },
        )  # fmt: skip
    op.drop_column("accounts", "moderated")


def _records() -> None:
    op.add_column("records", sa.Column("language", sa.String(20), nullable=False, server_default=""))
    op.add_column("records", sa.Column("deleted_at", sa.Double(), nullable=True))
    waits = sa.text("status = 'moderation'")
    op.create_index("ix_records_moderation", "records", ["id"], sqlite_where=waits, postgresql_where=waits)


def _queue() -> None:
    op.create_table(
        "templates",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_templates_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_templates_account_id_templates_id", "templates", ["account_id", "id"])
    _add_reference("requests", "template_id", "templates")
    op.add_column("api_calls", sa.Column("outgoing", sa.String(20), nullable=False, server_default=""))
    op.add_column("api_calls", sa.Column("price", sa.BigInteger(), nullable=False, server_default="0"))
    _add_reference("calls", "request_id", "requests")
    op.add_column("calls", sa.Column("waits_for", sa.String(20), nullable=False, server_default=""))
    op.add_column("calls", sa.Column("closes_at", sa.Double(), nullable=True))
    op.add_column("calls", sa.Column("trunk", sa.String(100), nullable=True))
    op.add_column("calls", sa.Column("held", sa.BigInteger(), nullable=False, server_default="0"))
    db = op.get_bind()
    db.execute(
        sa.text(
            "UPDATE calls SET request_id = (SELECT request_id FROM api_calls WHERE api_calls.id = calls.api_call_id)"
        )
    )
    db.execute(
        sa.text(
            "UPDATE api_calls SET outgoing = (SELECT max(outgoing) FROM calls WHERE calls.api_call_id = api_calls.id)"
        )
    )
    # What waits was promised at the only price that there was, 1.5 a step.
    db.execute(sa.text("UPDATE api_calls SET price = 15000"))
    db.execute(sa.text("UPDATE calls SET held = 15000 WHERE finished_at IS NULL"))
    db.execute(
        sa.text(
            "UPDATE accounts SET held = (SELECT coalesce(sum(calls.held), 0) FROM calls "
            "WHERE calls.account_id = accounts.id AND calls.finished_at IS NULL)"
        )
    )
    op.drop_index("ix_calls_queue", "calls")
    op.drop_index("ix_calls_open", "calls")
    created, owned = sa.text("status = 'created'"), sa.text("owner IS NOT NULL")
    op.create_index(
        "ix_calls_queue", "calls", ["outgoing", "account_id", "due_at", "id"],
        sqlite_where=created, postgresql_where=created,
    )  # fmt: skip
    op.create_index("ix_calls_of_request", "calls", ["request_id"], sqlite_where=created, postgresql_where=created)
    op.create_index("ix_calls_going_on", "calls", ["trunk", "outgoing"], sqlite_where=owned, postgresql_where=owned)
    op.create_table(
        "lanes",
        sa.Column("outgoing", sa.String(20), nullable=False),
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("next_due", sa.Double(), nullable=True),
        sa.Column("served_at", sa.Double(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_lanes_account_id_accounts"),
        sa.PrimaryKeyConstraint("outgoing", "account_id", name="pk_lanes"),
    )
    op.create_index("ix_lanes_outgoing_lanes_next_due", "lanes", ["outgoing", "next_due"])
    db.execute(
        sa.text(
            "INSERT INTO lanes (outgoing, account_id, next_due) SELECT outgoing, account_id, min(due_at) FROM calls "
            "WHERE status = 'created' GROUP BY outgoing, account_id"
        )
    )
    op.create_table(
        "pace",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pace"),
    )


def _webhooks() -> None:
    op.add_column("outbox", sa.Column("began_at_try", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "tries",
        sa.Column("id", Id, nullable=False),
        sa.Column("outbox_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_tries_outbox_id_outbox"),
        sa.PrimaryKeyConstraint("id", name="pk_tries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tries_outbox_id_tries_number", "tries", ["outbox_id", "number"])


def _new_tables() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("call_id", Id, nullable=True),
        sa.Column("record_id", Id, nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_ledger_account_id_accounts"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_ledger_call_id_calls"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_ledger_record_id_records"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_account_id_ledger_id", "ledger", ["account_id", "id"])
    op.get_bind().execute(
        sa.text(
            "INSERT INTO ledger (account_id, kind, amount, balance, comment, created_at) "
            "SELECT id, 'credit', balance, balance, 'carried over', created_at FROM accounts WHERE balance <> 0"
        )
    )
    op.create_table(
        "replays",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_replays_account_id_accounts"),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_replays"),
    )
    op.create_index("ix_replays_created_at", "replays", ["created_at"])
    op.create_table(
        "settings",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )


def _add_reference(table: str, column: str, other: str) -> None:
    """A column that refers to another table; SQLite takes the constraint only with the column."""
    name = f"fk_{table}_{column}_{other}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            sa.text(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT {name} REFERENCES {other} (id)")
        )
        return
    op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
    op.create_foreign_key(name, table, other, [column], ["id"])


def downgrade() -> None:
    raise RuntimeError("the plain keys are gone; restore the backup that was made before")
