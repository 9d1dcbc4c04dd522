"""Recordings of calls, and what came of the manager's leg."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("calls", sa.Column("manager", sa.String(20), nullable=True))
    op.add_column("calls", sa.Column("manager_started_at", sa.Double(), nullable=True))
    op.add_column("calls", sa.Column("manager_answered_at", sa.Double(), nullable=True))
    op.add_column("calls", sa.Column("manager_status", sa.String(30), nullable=True))
    op.create_table(
        "recordings",
        sa.Column("call_id", Id, autoincrement=False, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("file", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("began_at", sa.Double(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recordings_call_id_calls"),
        sa.PrimaryKeyConstraint("call_id", name="pk_recordings"),
        sa.UniqueConstraint("token", name="uq_recordings_token"),
    )
    op.create_index(
        "ix_recordings_kept", "recordings", ["created_at", "bytes"],
        sqlite_where=sa.text("deleted_at IS NULL"), postgresql_where=sa.text("deleted_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    raise RuntimeError("nobody would find the recordings any more; restore the backup that was made before")
