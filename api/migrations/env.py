"""Runs migrations in the transaction that `api.store.database.Database.migrate` has begun."""

from __future__ import annotations

from alembic import context

from api.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's is, once its driver does not begin transactions by itself
)
with context.begin_transaction():
    context.run_migrations()
