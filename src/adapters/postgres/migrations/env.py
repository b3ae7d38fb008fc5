"""Alembic's environment: one transaction, one migration at a time, on the connection that ``migrate`` hands in."""

from __future__ import annotations

from typing import Any

from alembic import context

from kubescribe.adapters.postgres.schema import VERSION_TABLE

# Any number will do that nobody else uses; five processes that start at once take turns on it.
LOCK = "SELECT pg_advisory_xact_lock(7236071554001)"

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
    # The lock comes before Alembic looks which version there is: it would look at what another changes just then.
    connection.exec_driver_sql(LOCK)
    context.configure(connection=connection, **SETTINGS)
    with context.begin_transaction():
        context.run_migrations()


run()
