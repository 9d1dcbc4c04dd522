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
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
    )
    op.create_index("ix_caught_account_id_caught_id", "caught", ["account_id", "id"])
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
