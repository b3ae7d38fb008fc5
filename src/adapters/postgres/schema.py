"""Which schema a RunLog has, asked without Alembic (which costs a second of CPU)."""

from __future__ import annotations

import asyncpg

HEAD = "0010"
"""The newest migration in this package."""

VERSION_TABLE = "kubescribe_schema"
"""Alembic's table of the current version, under a name of our own: the database may be shared."""

LOCK = "SELECT pg_advisory_xact_lock(7236071554001)"
"""Migrations take turns on it. Any number will do that nobody else uses."""


async def schema_version(connection: asyncpg.Connection) -> str | None:
    """The schema's version, None where there is no schema."""
    if await connection.fetchval("SELECT to_regclass($1::text)::text", f"public.{VERSION_TABLE}") is None:
        return None
    version: str | None = await connection.fetchval(f"SELECT version_num FROM public.{VERSION_TABLE}")  # noqa: S608
    return version


async def schema_is_current(connection: asyncpg.Connection) -> bool:
    """Whether the schema is this package's newest; no more than two small queries."""
    return await schema_version(connection) == HEAD
