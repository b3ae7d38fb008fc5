"""Report databases in memory and in PostgreSQL, behind the same four ports."""

from __future__ import annotations

import socket
from typing import Any

import psycopg

from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.adapters.report.catalogue import PostgresReportCatalogue
from kubescribe.adapters.report.fences import PostgresFences
from kubescribe.adapters.report.publisher import PostgresPublisher
from kubescribe.adapters.report.staging import PostgresStaging

from .publishing import World
from .report_database import ReportServer


def memory_world(database: MemoryReportDatabase | None = None) -> World:
    """The ports in memory."""
    database = database or MemoryReportDatabase()

    def read(report: str) -> list[tuple[Any, ...]] | None:
        return database.rows(report).rows() if report in database.shown else None

    return World(
        fences=MemoryFences(database),
        staging=MemoryStaging(database),
        publisher=MemoryPublisher(database),
        catalogue=MemoryReportCatalogue(database),
        read=read,
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

    return World(
        fences=PostgresFences(kwargs),
        staging=PostgresStaging(server.conninfo(port=port)),
        publisher=PostgresPublisher(kwargs, **publisher),
        catalogue=PostgresReportCatalogue(kwargs, settle_timeout=publisher.get("settle_timeout", 30.0)),
        read=read,
        away=lambda: postgres_world(server, port=_closed_port()),
    )


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
