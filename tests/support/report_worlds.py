"""Report databases in memory and in PostgreSQL, behind the same ports."""

from __future__ import annotations

import socket
from typing import Any

import polars as pl
import psycopg

from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.rehearsals import MemoryRehearsals
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.report_reader import MemoryReportReader
from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.adapters.report.catalogue import PostgresReportCatalogue
from kubescribe.adapters.report.fences import PostgresFences
from kubescribe.adapters.report.publisher import PostgresPublisher
from kubescribe.adapters.report.reader import PostgresReportReader
from kubescribe.adapters.report.rehearsals import PostgresRehearsals
from kubescribe.adapters.report.schema import BROWSER
from kubescribe.adapters.report.staging import PostgresStaging

from .publishing import World
from .report_database import ReportServer

_TABLE = "SELECT s.table_name FROM kubescribe.current c JOIN kubescribe.staged s USING (version) WHERE c.report = %s"
_FIRST = "(SELECT min(ctid) FROM {0})"
_TAMPERING = {
    "edit": [f"UPDATE {{0}} SET k = 99 WHERE ctid = {_FIRST}"],
    "add": [f"INSERT INTO {{0}} SELECT * FROM {{0}} WHERE ctid = {_FIRST}"],
    "lose": [f"DELETE FROM {{0}} WHERE ctid = {_FIRST}"],
    "swap": [
        f"WITH gone AS (DELETE FROM {{0}} WHERE ctid = {_FIRST} RETURNING *) INSERT INTO {{0}} SELECT * FROM gone"
    ],
}


def memory_world(database: MemoryReportDatabase | None = None) -> World:
    """The ports in memory."""
    database = database or MemoryReportDatabase()

    def read(report: str) -> list[tuple[Any, ...]] | None:
        return database.rows(report).rows() if report in database.shown else None

    def tamper(report: str, how: str) -> None:
        version = database.versions[database.shown[report].version]
        frame = version.frame
        version.frame = {
            "edit": frame.with_columns(pl.when(pl.int_range(pl.len()) == 0).then(99).otherwise(pl.nth(0)).alias("k")),
            "add": pl.concat([frame, frame.head(1)]),
            "lose": frame.slice(1),
            "swap": frame.reverse(),
        }[how]

    return World(
        fences=MemoryFences(database),
        staging=MemoryStaging(database),
        publisher=MemoryPublisher(database),
        catalogue=MemoryReportCatalogue(database),
        reader=MemoryReportReader(database),
        rehearsals=MemoryRehearsals(database),
        read=read,
        tamper=tamper,
        away=lambda: memory_world(MemoryReportDatabase(available=False)),
    )


def postgres_world(server: ReportServer, port: int | None = None, **publisher: Any) -> World:
    """The ports in PostgreSQL, with the rights of the publishing role; ``port`` may be a proxy's."""
    kwargs = server.kwargs(port=port)

    def read(report: str) -> list[tuple[Any, ...]] | None:
        with server.reader() as connection:
            try:
                return connection.execute(f'SELECT * FROM reports."{report}"'.encode()).fetchall()
            except psycopg.errors.UndefinedTable:
                return None

    def tamper(report: str, how: str) -> None:
        with server.admin() as admin:
            where = admin.execute(_TABLE, (report,)).fetchone()
            assert where is not None
            for statement in _TAMPERING[how]:
                admin.execute(statement.format(f'reports."{where[0]}"').encode())

    return World(
        fences=PostgresFences(kwargs),
        staging=PostgresStaging(server.conninfo(port=port)),
        publisher=PostgresPublisher(kwargs, **publisher),
        catalogue=PostgresReportCatalogue(kwargs, settle_timeout=publisher.get("settle_timeout", 30.0)),
        reader=PostgresReportReader(kwargs, role=BROWSER),
        rehearsals=PostgresRehearsals(kwargs),
        read=read,
        tamper=tamper,
        away=lambda: postgres_world(server, port=_closed_port()),
    )


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
