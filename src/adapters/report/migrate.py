"""Bringing the report database's tables to this release. Imports Alembic and SQLAlchemy: a second of CPU."""

from __future__ import annotations

import io
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from .database import translated
from .names import literal, quoted
from .schema import FIND_VERSION_TABLE, HEAD, READ_VERSION, VERSION_TABLE, browser_grants

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('kubescribe.report.migrate', 0))"


async def migrate(asyncpg_kwargs: dict[str, Any], report_schema: str = "reports") -> str | None:
    """Bring the tables to :data:`HEAD`; returns it, or None where nothing was to be done.

    All in one transaction under an advisory lock, so any number at once is safe. Makes the schema of the reports
    too, where the role may. Needs a role that may create schemas in this database.
    """

    async def connect() -> Any:
        return await asyncpg.connect(**{"timeout": 10.0, **asyncpg_kwargs})

    def upgrade(connection: Connection) -> str | None:
        connection.exec_driver_sql(_LOCK)
        before = None
        if connection.exec_driver_sql(FIND_VERSION_TABLE).scalar():
            before = connection.exec_driver_sql(READ_VERSION).scalar()
        if before != HEAD:
            command.upgrade(_config(report_schema, connection), "head")
        return None if before == HEAD else HEAD

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with translated(), engine.begin() as connection:
            return await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


def migration_sql(report_schema: str = "reports") -> str:
    """The same as SQL, for an empty database and for ``psql``."""
    config = _config(report_schema, None)
    written = io.StringIO()
    config.output_buffer = written
    command.upgrade(config, "head", sql=True)
    return written.getvalue()


def _config(report_schema: str, connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "kubescribe.adapters.report:migrations")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    config.attributes["preamble"] = [
        _LOCK,
        _make_schema("kubescribe"),
        _make_schema(report_schema, "AND has_database_privilege(current_database(), 'CREATE') "),
    ]
    config.attributes["epilogue"] = [browser_grants(report_schema)]
    return config


def _make_schema(name: str, condition: str = "") -> str:
    # IF NOT EXISTS would ask for the right to create even where the schema exists
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {literal(name)}) {condition}"
        f"THEN CREATE SCHEMA {quoted(name)}; END IF; END $$"
    )
