"""Migrations of the store, run by Alembic when the service starts."""
