"""Where the three databases are: those of the settings, or the embedded ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ...domain.database_url import DatabaseUrl
from ...domain.errors import NotConfigured
from ..settings import Settings


class Databases(msgspec.Struct, frozen=True, kw_only=True):
    """The databases of a KubeScribe process; None where one is not configured."""

    runlog_url: DatabaseUrl | None
    production_url: DatabaseUrl | None
    report_url: DatabaseUrl | None
    embedded: bool

    @property
    def runlog(self) -> DatabaseUrl:
        """RunLog; raises :class:`NotConfigured`."""
        return _configured(self.runlog_url, "the record of runs", "RUNLOG_DB_URL")

    @property
    def production(self) -> DatabaseUrl:
        """The production database; raises :class:`NotConfigured`."""
        return _configured(self.production_url, "reading the production database", "PROD_DB_URL")

    @property
    def report(self) -> DatabaseUrl:
        """The report database; raises :class:`NotConfigured`."""
        return _configured(self.report_url, "this look at reports", "REPORT_DB_URL")

    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere."""
        urls = (self.runlog_url, self.production_url, self.report_url)
        return tuple(dict.fromkeys(secret for url in urls if url is not None for secret in url.secrets()))


def _configured(url: DatabaseUrl | None, what: str, variable: str) -> DatabaseUrl:
    if url is None:
        raise NotConfigured(what, variable)
    return url


@contextmanager
def open_databases(settings: Settings) -> Iterator[Databases]:
    """The databases, the embedded ones up and migrated, until the end of the block."""
    if not settings.embedded:
        yield Databases(
            runlog_url=settings.runlog_url,
            production_url=settings.production_url,
            report_url=settings.report_url,
            embedded=False,
        )
        return
    from ...adapters.embedded.server import EmbeddedPostgres

    with EmbeddedPostgres(settings.home).attach() as server:
        databases = Databases(
            runlog_url=DatabaseUrl.parse(server.url("runlog")),
            production_url=DatabaseUrl.parse(server.url("production"), "PROD_DB_URL"),
            report_url=DatabaseUrl.parse(server.url("report"), "REPORT_DB_URL"),
            embedded=True,
        )
        _migrate_once(settings.home, databases, settings.report_schema)
        yield databases


def _migrate_once(home: Path, databases: Databases, report_schema: str) -> None:
    """Migrate the embedded databases, unless the folder says that this version of KubeScribe has done so."""
    from ...adapters.postgres.schema import HEAD as RUNLOG_HEAD
    from ...adapters.report.schema import HEAD as REPORT_HEAD

    # The data folder's own file is part of the mark: a folder that was made anew is migrated anew.
    born = (home / "postgres" / "data" / "PG_VERSION").stat()
    mark = f"{RUNLOG_HEAD} {REPORT_HEAD} {report_schema} {born.st_ino} {born.st_mtime_ns}"
    file = home / "postgres" / "migrated"
    if file.exists() and file.read_text() == mark:
        return
    asyncio.run(migrate(databases, report_schema))
    file.write_text(mark)


async def migrate(databases: Databases, report_schema: str) -> dict[str, bool]:
    """Bring RunLog's and the report database's schema up to date; by database, whether anything was to be done."""
    done: dict[str, bool] = {}
    if databases.runlog_url is not None:
        from ...adapters.postgres.migrate import migrate as migrate_runlog
        from ...adapters.postgres.schema import HEAD

        done["RunLog"] = await migrate_runlog(databases.runlog_url.for_asyncpg()) != HEAD
    if databases.report_url is not None:
        from ...adapters.report.migrate import migrate as migrate_report

        done["report"] = await migrate_report(databases.report_url.for_asyncpg(), report_schema) is not None
    return done


def migration_sql(database: str, report_schema: str) -> str:
    """The migrations of ``runlog`` or ``report`` as SQL for psql, from an empty database."""
    if database == "runlog":
        from ...adapters.postgres.migrate import migration_sql as runlog_sql

        return runlog_sql()
    from ...adapters.report.migrate import migration_sql as report_sql

    return report_sql(report_schema)


def grants(publisher: str, reader: str, report_schema: str) -> str:
    """What the two roles need in the report database, as SQL for psql."""
    from ...adapters.report.schema import grants_sql

    return grants_sql(publisher, reader, report_schema)


def runlog_grants(role: str) -> str:
    """What the role of everyday work needs in RunLog, as SQL for psql."""
    from ...adapters.postgres.grants import grants_sql

    return grants_sql(role)


def packaged_psql() -> str | None:
    """The psql that came with the embedded PostgreSQL; None where there is none."""
    from ...adapters.embedded.binaries import find_binaries

    programs = (found.program("psql") for found in find_binaries())
    return next((str(psql) for psql in programs if psql.exists()), None)
