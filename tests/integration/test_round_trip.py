"""From production into a report, as frames or as bytes: what SQL's own copy holds, or a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.errors import ReportMismatch, UnsupportedType
from kubescribe.domain.report import ReportSpec, Staged
from tests.support.clusters import Cluster
from tests.support.report_database import ReportServer
from tests.support.server_types import KINDS, TYPES, tables

pytestmark = pytest.mark.integration

NOT_RELAYED = {"money", "pair", "regclass"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        yield cluster


class Both:
    """A production database and a report database, and an administrator's session in each."""

    def __init__(self, cluster: Cluster) -> None:
        self.report = ReportServer(cluster)
        url = cluster.create_database("production")
        self.production = psycopg.connect(url, autocommit=True)
        self.production.execute(TYPES.encode())
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
        statement = f"COPY reports.there__v{staged.version} ({names}) TO STDOUT (FORMAT binary)"
        with self.admin.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            content = b"".join(bytes(block) for block in copy)
        return "sha256:" + hashlib.sha256(content).hexdigest(), len(content)

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


@pytest.fixture(scope="module")
def both(cluster: Cluster) -> Iterator[Both]:
    both = Both(cluster)
    yield both
    both.close()


def same(one: str | None, other: str | None, kind: str) -> bool:
    if kind == "numeric" and one is not None and other is not None:
        try:
            return Decimal(one) == Decimal(other)
        except InvalidOperation:
            return False
    return one == other


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(query=tables())
def test_frames_bring_what_sql_copies(both: Both, query: str) -> None:
    types, rows = both.copied_by_sql(query)
    try:
        staged = both.by_frames(query)
    except UnsupportedType as refusal:
        assert "which cannot be kept exactly" in str(refusal)
        assert "::text" in str(refusal) or "CAST(" in str(refusal)
        return
    _, found = both.held(staged)
    assert len(found) == len(rows) == staged.rows
    for expected, row in zip(rows, found, strict=True):
        for (_, kind), one, other in zip(types, expected, row, strict=True):
            assert same(one, other, kind), (kind, one, other)
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    both.drop(staged)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(query=tables())
def test_bytes_bring_what_sql_copies(both: Both, query: str) -> None:
    types, rows = both.copied_by_sql(query)
    try:
        staged = both.by_bytes(query)
    except UnsupportedType as refusal:
        assert NOT_RELAYED & {kind for _, kind in types}, refusal
        return
    found_types, found = both.held(staged)
    assert found == rows
    assert found_types == [(name, "text" if kind == "mood" else kind) for name, kind in types]
    assert found_types == [(column.name, column.type) for column in staged.columns]
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    both.drop(staged)


def test_every_type_but_these_is_relayed(both: Both) -> None:
    refused = set()
    for kind in KINDS:
        try:
            both.drop(both.by_bytes(f"SELECT CAST(NULL AS {kind}) AS x"))
        except UnsupportedType as refusal:
            assert "cast it, like x::text" in str(refusal)
            refused.add(kind)
    assert refused == NOT_RELAYED


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT ROW(1, 'x') AS x", "column x has type record"),
        ("SELECT ARRAY['happy'::mood] AS x", r"column x has type mood\[\]"),
        ("SELECT NULL::xml AS x", "column x has type xml"),
    ],
)
def test_a_type_whose_bytes_mean_nothing_elsewhere_is_refused(both: Both, query: str, message: str) -> None:
    with pytest.raises(UnsupportedType, match=message):
        both.by_bytes(query)


def test_a_name_that_no_report_can_have_is_refused(both: Both) -> None:
    with pytest.raises(ReportMismatch, match="a column cannot be called _version"):
        both.by_bytes("SELECT 1 AS _version")


def test_much_is_relayed_in_pieces_and_counted(both: Both) -> None:
    query = "SELECT g, repeat(md5(g::text), 20) AS t FROM generate_series(1, :n) g"
    rows = both.source.relay(query, {"n": 20_000}, name="q")
    staged = both.staging.relay(ReportSpec(name="there", key=("g",)), rows, run_id=uuid4(), attempt_id=uuid4())
    assert (staged.rows, staged.bytes) == (rows.record().rows, rows.record().bytes) == (20_000, staged.bytes)
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    assert rows.record().snapshot is not None
    both.drop(staged)


def test_an_array_that_no_longer_holds_a_null_has_the_checksum_of_what_is_held(both: Both) -> None:
    query = "SELECT array_replace(ARRAY[1, NULL, 3], NULL, 2) AS a"  # still marked as one that may hold nulls
    staged = both.by_bytes(query)
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    both.drop(staged)


def test_nothing_is_staged_of_a_query_that_fails_halfway(both: Both) -> None:
    with pytest.raises(Exception, match="division by zero"):
        both.by_bytes("SELECT 1 / (50000 - g) AS x FROM generate_series(1, 60000) g")
    assert both.admin.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'there%'").fetchone() == (0,)
