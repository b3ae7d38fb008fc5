"""Bringing RunLog's schema up to date. Alembic and SQLAlchemy are imported only when it is done."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .failures import RUNLOG, translated
from .schema import HEAD, LOCK, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

__all__ = ["migrate", "migration_sql"]


async def migrate(address: Mapping[str, Any]) -> str | None:
    """Migrate to ``HEAD`` in one transaction; returns the version that was found (None: there was no schema).

    ``address`` is what :func:`asyncpg.connect` takes. Any number may do it at once: they take turns, and the
    first one does the work. Raises ``DatabaseUnavailable``, ``DatabaseRefused``, and ``SchemaMismatch`` where the
    schema is newer than this package.
    """
    from sqlalchemy.pool import NullPool

    from .engine import runlog_engine

    engine = runlog_engine(address, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade)
    except Exception as error:
        known = translated(error, address.get("password"))
        if known is None:
            raise
        raise known from error
    finally:
        await engine.dispose()


def migration_sql() -> str:
    """All migrations as SQL for psql, from an empty database, in one transaction."""
    from alembic import command

    output = io.StringIO()
    config = _config()
    config.output_buffer = output
    command.upgrade(config, "head", sql=True)
    return output.getvalue()


def _upgrade(connection: Connection) -> str | None:
    from alembic import command

    from ...domain.errors import SchemaMismatch

    # The lock comes before anybody looks which version there is: it would be what another is changing just then.
    # It also keeps a second migration in this process out of Alembic, whose context is global.
    connection.exec_driver_sql(LOCK)
    found = _found(connection)
    if found is not None and found > HEAD:
        raise SchemaMismatch(RUNLOG, found, HEAD)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return found


def _found(connection: Connection) -> str | None:
    from sqlalchemy import text

    exists = connection.scalar(text("SELECT to_regclass(:name)::text"), {"name": f"public.{VERSION_TABLE}"})
    if exists is None:
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM public.{VERSION_TABLE}"))  # noqa: S608
    return version


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "kubescribe:adapters/postgres/migrations")
    return config
