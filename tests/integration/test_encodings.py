"""Databases that do not keep UTF-8: text comes and goes as it is, or with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
import pytest

from kubescribe.adapters.report.migrate import migrate
from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.errors import DatabaseRefused, QueryFailed, ReportMismatch, UnsupportedType, ValueRefused
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.report import ReportSpec, Staged
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster
from tests.support.report_database import ReportServer

pytestmark = pytest.mark.integration

TEXTS = {
    "UTF8": "é€😀日",
    "LATIN1": "éß\xa0",
    "WIN1252": "€“”",
    "EUC_JP": "日本語",
    "ISO_8859_5": "Привет",
    "SQL_ASCII": "é😀",
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        yield cluster


def database(cluster: Cluster, name: str, encoding: str) -> str:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        provider = "LOCALE_PROVIDER libc" if connection.info.server_version >= 150000 else ""
        statement = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' {provider} LOCALE 'C'"
        connection.execute(statement.encode())
    return cluster.url(name)


@pytest.fixture(scope="module")
def report(cluster: Cluster) -> Iterator[ReportServer]:
    server = ReportServer(cluster)
    yield server
    server.drop()


def stage(staging: PostgresStaging, source: PostgresSource, way: str, query: str, **binds: Any) -> Staged:
    spec, ids = ReportSpec(name="there"), {"run_id": uuid4(), "attempt_id": uuid4()}
    if way == "copy":
        return staging.relay(spec, source.relay(query, binds, name="q"), **ids)
    rows = source.read(query, binds, name="q", batch=1 if way == "scan" else None)
    return staging.stage(spec, rows, **ids)


@pytest.mark.parametrize("encoding", TEXTS)
def test_production_may_keep_its_text_in_any_encoding(cluster: Cluster, report: ReportServer, encoding: str) -> None:
    name, text = f"production_{encoding.lower()}", TEXTS[encoding]
    url = database(cluster, name, encoding)
    with psycopg.connect(url, autocommit=True, client_encoding="UTF8") as owner:
        owner.execute(f"CREATE TABLE t AS SELECT '{text}'::text AS \"{text}\", '{text}'::char(9) AS c".encode())
        padded = owner.execute("SELECT format('%s', c) FROM t").fetchone()
    source, staging = PostgresSource(url, application_name="ks:encodings"), PostgresStaging(report.conninfo())
    for way in ("read", "scan", "copy"):
        what = "*"
        if way == "copy" and encoding == "SQL_ASCII":  # which counts a character's bytes
            with pytest.raises(UnsupportedType, match=r"column c has type character\(9\)"):
                stage(staging, source, way, "SELECT c FROM t")
            what = f"\"{text}\", format('%s', c) AS c"
        staged = stage(staging, source, way, f'SELECT {what} FROM t WHERE "{text}" = :text', text=text)
        with report.admin() as admin:
            query = f"SELECT \"{text}\", format('%s', c) FROM reports.there__v{staged.version}"
            assert admin.execute(query.encode()).fetchall() == [(text, *(padded or ()))]
    if encoding not in ("UTF8", "SQL_ASCII"):
        with pytest.raises(QueryFailed, match=f'has no equivalent in encoding "{encoding}"'):
            list(source.read("SELECT 1 AS x WHERE '' = :text", {"text": "😀"}, name="q", batch=None))
    source.done()
    cluster.drop_database(name)


def test_a_name_that_is_longer_in_utf8(cluster: Cluster, report: ReportServer) -> None:
    source = PostgresSource(database(cluster, "long_names", "LATIN1"), application_name="ks:encodings")
    for way in ("read", "copy"):
        with pytest.raises(ReportMismatch, match="is longer than 63 bytes"):
            stage(PostgresStaging(report.conninfo()), source, way, f'SELECT 1 AS "{"é" * 40}"')
    source.done()
    cluster.drop_database("long_names")


BAD = r"convert_from('\xff', 'SQL_ASCII')"
BROKEN = f"""
CREATE TABLE bytes AS SELECT 1 AS id, 'fine' AS x UNION ALL SELECT 2, {BAD} ORDER BY 1;
DO $$ BEGIN EXECUTE 'CREATE TABLE names AS SELECT 1 AS "' || {BAD} || '"'; END $$;
CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', {BAD}; END $$
"""


@pytest.mark.parametrize("way", ["read", "scan", "copy"])
def test_bytes_that_are_no_text(cluster: Cluster, report: ReportServer, way: str) -> None:
    """SQL_ASCII keeps whatever it was given."""
    url = database(cluster, "bytes", "SQL_ASCII")
    with psycopg.connect(url, autocommit=True) as owner:
        for statement in BROKEN.split(";\n"):
            owner.execute(statement.encode())
    source, staging = PostgresSource(url, application_name="ks:encodings"), PostgresStaging(report.conninfo())
    queries = ["SELECT id, x FROM bytes ORDER BY id", "SELECT * FROM names", "SELECT fails() AS x"]
    for query in queries:
        with pytest.raises(QueryFailed, match='invalid byte sequence for encoding "UTF8": 0xff'):
            stage(staging, source, way, query)
    if way != "copy":  # by a cursor too
        with pytest.raises(QueryFailed, match="invalid byte sequence"):
            stage(staging, source, way, "SELECT x, :gap AS gap FROM bytes", gap=timedelta(1))
    with report.admin() as admin:
        assert admin.execute("SELECT count(*) FROM kubescribe.staged WHERE rows < 1").fetchone() == (0,)
    source.done()
    cluster.drop_database("bytes")


REPORTS: dict[str, Callable[[PostgresStaging, PostgresSource, str], Staged]] = {
    "read": lambda staging, source, text: stage(staging, source, "read", f"SELECT '{text}' AS x"),
    "copy": lambda staging, source, text: stage(staging, source, "copy", f"SELECT '{text}' AS x"),
    "name": lambda staging, source, text: stage(staging, source, "copy", f'SELECT 1 AS "{text}"'),
    "frame": lambda staging, source, text: staging.stage(
        ReportSpec(name="there"), [pl.DataFrame({text: [text]})], run_id=uuid4(), attempt_id=uuid4()
    ),
}


def test_a_report_database_that_does_not_keep_utf8(cluster: Cluster) -> None:
    """It is refused before any work; and whoever goes on without asking loses no character."""
    url = database(cluster, "latin_report", "LATIN1")
    asyncio.run(migrate(asyncpg_address(url)))
    source, staging = PostgresSource(cluster.url("postgres"), application_name="ks:encodings"), PostgresStaging(url)
    with pytest.raises(DatabaseRefused, match="its encoding is LATIN1, which cannot hold every text"):
        staging.prepare()
    for way in REPORTS.values():
        assert way(staging, source, "é").rows == 1
        with pytest.raises(ValueRefused, match="the report database cannot hold one of the values: character") as error:
            way(staging, source, "😀")
        assert error.value.exit_code == ExitCode.PRECONDITION
    source.done()
    cluster.drop_database("latin_report")
