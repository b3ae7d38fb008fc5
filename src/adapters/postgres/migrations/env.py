"""Alembic's environment: on the connection that ``migrate`` hands in, in its transaction and under its lock."""

from __future__ import annotations

from typing import Any

from alembic import context

from kubescribe.adapters.postgres.schema import LOCK, VERSION_TABLE  # Alembic loads this file by its path

SETTINGS: dict[str, Any] = {"version_table": VERSION_TABLE, "version_table_schema": "public"}


def run() -> None:
    """Migrate the connection given, or write the SQL where there is none."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        context.configure(dialect_name="postgresql", literal_binds=True, **SETTINGS)
        with context.begin_transaction():
            context.execute(LOCK)
            context.run_migrations()
        return
    context.configure(connection=connection, **SETTINGS)
    with context.begin_transaction():
        context.run_migrations()


run()
