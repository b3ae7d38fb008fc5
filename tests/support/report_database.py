"""A report database for tests: migrated, with a publishing role that has the least rights and a reader."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import psycopg

from kubescribe.adapters.embedded.initdb import USER
from kubescribe.adapters.report.migrate import migrate
from kubescribe.adapters.report.schema import grants_sql

from .clusters import Cluster
from .waiting import wait_for

_numbers = itertools.count()
PUBLISHER, READER, PASSWORD = "publisher", "reader", "canary-8842"  # of roles that live for seconds
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class ReportServer:
    """One database in a cluster: ``admin``, ``publisher`` and ``reader`` are libpq connection strings."""

    TEMPLATE = "report_template"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.name = f"report_{next(_numbers)}"
        cluster.create_database(self.name, self.TEMPLATE)

    @classmethod
    def prepare(cls, cluster: Cluster) -> None:
        """Make the roles and the template, once a cluster."""
        cluster.create_database(cls.TEMPLATE)
        asyncio.run(migrate(kwargs(cluster, cls.TEMPLATE)))
        with psycopg.connect(cluster.url(cls.TEMPLATE), autocommit=True) as connection:
            for role in (PUBLISHER, READER):
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'".encode())
            connection.execute(grants_sql(PUBLISHER, READER).encode())

    def conninfo(self, role: str = PUBLISHER, port: int | None = None, password: str = PASSWORD) -> str:
        where = f"host=127.0.0.1 port={port or self.cluster.port} dbname={self.name} sslmode=disable"
        return f"{where} user={role} password={password}"

    def kwargs(self, role: str = PUBLISHER, port: int | None = None) -> dict[str, Any]:
        return {**kwargs(self.cluster, self.name), "user": role, "port": port or self.cluster.port}

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(self.cluster.url(self.name), autocommit=True)

    def reader(self) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(READER))

    def expect_no_connections(self) -> None:
        """Fail unless all connections are closed; the server may take a moment to notice."""
        with self.admin() as connection:

            def alone() -> bool:
                return connection.execute(_OTHERS).fetchone() == (0,)

            wait_for(alone, "every connection to be closed")

    def drop(self) -> None:
        self.cluster.drop_database(self.name)


def kwargs(cluster: Cluster, database: str) -> dict[str, Any]:
    """asyncpg's keyword arguments for the administrator; the roles have one password among them."""
    return {
        "host": "127.0.0.1",
        "port": cluster.port,
        "database": database,
        "user": USER,
        "password": PASSWORD,
        "ssl": False,  # a proxy on the way looks for words
    }
