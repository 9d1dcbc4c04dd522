"""The page: passwords, sessions, links to sign in by, requests sent from it, receivers, refusals by the hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("password", sa.Text(), nullable=True))
    # Whoever runs the service looks at its nodes, and at the last hour of its trunks.
    op.add_column("nodes", sa.Column("version", sa.String(40), nullable=False, server_default=""))
    op.add_column("nodes", sa.Column("trunks", sa.JSON(), nullable=True))
    op.create_index(
        "ix_calls_over", "calls", ["finished_at", "trunk", "disposition", "started_at"],
        sqlite_where=sa.text("finished_at IS NOT NULL"), postgresql_where=sa.text("finished_at IS NOT NULL"),
    )  # fmt: skip
    _of_account(
        "sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("agent", sa.String(300), nullable=False),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_table(
        "links",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_links_account_id_accounts"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_links"),
    )
    op.create_table(
        "attempts",
        sa.Column("name", sa.String(260), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.Double(), nullable=False),
        sa.Column("free_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_attempts"),
    )
    _of_account(
        "sent",
        sa.Column("method", sa.String(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_index("ix_sent_account_id_sent_id", "sent", ["account_id", "id"])
    op.create_table(
        "receivers",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_receivers_account_id_accounts"),
        sa.PrimaryKeyConstraint("account_id", name="pk_receivers"),
        sa.UniqueConstraint("token", name="uq_receivers_token"),
    )
    _of_account(
        "caught",
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(10), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
    )
    op.create_index("ix_caught_account_id_caught_id", "caught", ["account_id", "id"])
    op.add_column("records", sa.Column("searched", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "plays",
        sa.Column("record_id", Id, autoincrement=False, nullable=False),
        sa.Column("request_id", Id, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_plays_request_id_requests"),
        sa.PrimaryKeyConstraint("record_id", "request_id", name="pk_plays"),
    )
    _fill()
    op.create_table(
        "refusals",
        sa.Column("account_id", Id, autoincrement=False, nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("method", sa.String(40), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_refusals_account_id_accounts"),
        sa.PrimaryKeyConstraint("account_id", "hour", "method", "code", name="pk_refusals"),
    )
    _indexes()
    _for_the_table_of_calls()


def _for_the_table_of_calls() -> None:
    op.create_index("ix_calls_account_id_calls_id", "calls", ["account_id", "id"])
    op.create_index("ix_calls_account_id_calls_phone_calls_id", "calls", ["account_id", "phone", "id"])
    for name, columns, condition in (
        ("ix_calls_results", ["account_id", "disposition", "id"], "disposition IS NOT NULL"),
        ("ix_calls_going_on_of_account", ["account_id", "id"], "finished_at IS NULL AND status <> 'created'"),
        ("ix_calls_waiting", ["account_id", "id"], "status = 'created'"),
        ("ix_calls_plans", ["account_id", "waits_for", "due_at", "id"], "status = 'created'"),
    ):
        where = sa.text(condition)
        op.create_index(name, "calls", columns, sqlite_where=where, postgresql_where=where)


def _indexes() -> None:
    """What the rooms turn over page by page."""
    op.create_index("ix_outbox_account_id_outbox_id", "outbox", ["account_id", "id"])
    op.create_index("ix_outbox_account_id_outbox_host_outbox_id", "outbox", ["account_id", "host", "id"])
    op.create_index("ix_outbox_api_call_id_outbox_id", "outbox", ["api_call_id", "id"])
    op.create_index(
        "ix_outbox_failed", "outbox", ["account_id", "id"],
        sqlite_where=sa.text("delivered IS 0 AND tries > 0"),
        postgresql_where=sa.text("delivered IS false AND tries > 0"),
    )  # fmt: skip
    op.create_index("ix_ledger_account_id_ledger_kind_ledger_id", "ledger", ["account_id", "kind", "id"])
    op.create_index("ix_ledger_account_id_ledger_created_at", "ledger", ["account_id", "created_at"])
    op.create_index("ix_stop_list_account_id_stop_list_id", "stop_list", ["account_id", "id"])


def _fill() -> None:
    """What `searched` and `plays` say of the rows that are there."""
    db = op.get_bind()
    records = sa.table("records", *map(sa.column, ("id", "name", "record_text", "searched")))
    for number, name, words in db.execute(sa.select(records.c.id, records.c.name, records.c.record_text)).all():
        folded = f"{name}\n{words}".casefold()
        db.execute(sa.update(records).where(records.c.id == number).values(searched=folded))
    requests = sa.table("requests", sa.column("id"), sa.column("menu", sa.JSON()))
    plays = sa.table("plays", sa.column("record_id"), sa.column("request_id"))
    last = 0
    while True:  # menus are large, so not all of them at once
        some = sa.select(requests.c.id, requests.c.menu).where(requests.c.id > last).order_by(requests.c.id).limit(1000)
        found = db.execute(some).all()
        if not found:
            return
        last = found[-1][0]
        pairs = {(int(note["record"]), number) for number, menu in found for note in menu.values() if note["record"]}
        if pairs:
            db.execute(sa.insert(plays), [{"record_id": record, "request_id": number} for record, number in pairs])


def _of_account(name: str, *columns: sa.Column[object] | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=f"fk_{name}_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    raise RuntimeError("passwords and what was sent would be lost; restore the backup that was made before")
