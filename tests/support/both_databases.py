"""Production and report side by side, for tests of what comes from one into the other."""

from __future__ import annotations

import hashlib
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4

import psycopg

from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.report import ReportSpec, Staged

from .clusters import Cluster
from .report_database import ReportServer


class Both:
    """A production database, in which ``setup`` was executed, a report database, and an owner's session in each."""

    def __init__(self, cluster: Cluster, setup: str) -> None:
        self.report = ReportServer(cluster)
        url = cluster.create_database("production")
        self.production = psycopg.connect(url, autocommit=True)
        self.production.execute(setup.encode())
        self.admin = self.report.admin()
        for session in (self.production, self.admin):
            session.execute("SET timezone = 'UTC'; SET synchronize_seqscans = off")
        self.source = PostgresSource(url, application_name="ks:test", snapshot="read")
        self.staging = PostgresStaging(self.report.conninfo())

    def by_frames(self, query: str) -> Staged:
        rows = self.source.read(query, {}, name="q", batch=None)
        return self.staging.stage(ReportSpec(name="there"), rows, run_id=uuid4(), attempt_id=uuid4())

    def by_bytes(self, query: str, **binds: Any) -> Staged:
        rows = self.source.relay(query, binds, name="q")
        return self.staging.relay(ReportSpec(name="there"), rows, run_id=uuid4(), attempt_id=uuid4())

    def copied_by_sql(self, query: str) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        self.production.execute(f"DROP TABLE IF EXISTS sqls; CREATE TABLE sqls AS {query}".encode())
        return self._held(self.production, "sqls")

    def held(self, staged: Staged) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        return self._held(self.admin, f"reports.there__v{staged.version}")

    def checksum(self, staged: Staged) -> tuple[str, int]:
        names = ", ".join('"' + column.name.replace('"', '""') + '"' for column in staged.columns)
        return _digest(self.admin, f"reports.there__v{staged.version} ({names})")

    def checksum_by_sql(self) -> tuple[str, int]:
        """Of what :meth:`copied_by_sql` made."""
        return _digest(self.production, "sqls")

    def drop(self, staged: Staged) -> None:
        self.admin.execute(f"DROP TABLE reports.there__v{staged.version}".encode())

    @staticmethod
    def _held(session: psycopg.Connection, table: str) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        types = session.execute(
            "SELECT attname, format_type(coalesce(nullif(typbasetype, 0), atttypid), atttypmod) FROM pg_attribute "
            "JOIN pg_type t ON t.oid = atttypid "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND attname <> '_version' ORDER BY attnum",
            (table,),
        ).fetchall()
        quoted = ['"' + name.replace('"', '""') + '"' for name, _ in types]
        shown = ", ".join(f"CASE WHEN num_nulls({name}) = 0 THEN format('%s', {name}) END" for name in quoted)
        return types, session.execute(f"SELECT {shown} FROM {table} ORDER BY ctid".encode()).fetchall()

    def close(self) -> None:
        self.source.done()
        self.production.close()
        self.admin.close()
        self.report.cluster.drop_database("production")
        self.report.drop()


def same(one: str | None, other: str | None, kind: str) -> bool:
    """Whether two texts stand for one value; of numerics the zeros at the end do not count."""
    if kind == "numeric" and one is not None and other is not None:
        try:
            return one == other or Decimal(one) == Decimal(other)
        except InvalidOperation:
            return False
    return one == other


def _digest(session: psycopg.Connection, what: str) -> tuple[str, int]:
    with session.cursor() as cursor, cursor.copy(f"COPY {what} TO STDOUT (FORMAT binary)".encode()) as copy:
        content = b"".join(bytes(block) for block in copy)
    return "sha256:" + hashlib.sha256(content).hexdigest(), len(content)
