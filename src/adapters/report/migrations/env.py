"""Run by Alembic. The connection comes from ``migrate``; without one the statements are written out for psql."""

from __future__ import annotations

from typing import Any

from alembic import context


def run() -> None:
    """Bring the tables to the newest revision, in one transaction that only one process at a time can be in."""
    attributes = context.config.attributes
    options: dict[str, Any] = {"version_table": attributes["version_table"], "version_table_schema": "kubescribe"}
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, **options)
    else:
        context.configure(connection=attributes["connection"], **options)
    with context.begin_transaction():
        for statement in attributes["preamble"]:
            context.execute(statement)
        context.run_migrations()
        for statement in attributes["epilogue"]:
            context.execute(statement)


run()
