"""A connection that is cut after k bytes: everything, or a sentence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.support.clusters import Cluster
from tests.support.proxy import Proxy
from tests.support.report_database import ReportServer

from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.errors import DatabaseUnavailable, KubescribeError, SnapshotLost
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.report import ReportSpec

pytestmark = pytest.mark.integration

ROWS = 5_000
QUERY = f"SELECT g AS id, repeat(md5(g::text), 2) AS t, (g / 4.0)::numeric(9,2) AS n FROM generate_series(1, {ROWS}) g"
WAYS = ("read", "scan", "copy")


@pytest.fixture(scope="module")
def report() -> Iterator[ReportServer]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        server = ReportServer(cluster)
        yield server
        server.drop()


def through(proxy: Proxy, url: str, server: Cluster) -> str:
    return url.replace(f":{server.port}/", f":{proxy.port}/") + "?sslmode=disable"


def carried(way: str, source: PostgresSource, staging: PostgresStaging) -> int:
    """Rows that came all the way."""
    name, ids = ReportSpec(name="there"), {"run_id": uuid4(), "attempt_id": uuid4()}
    if way == "copy":
        return staging.relay(name, source.relay(QUERY, {}, name="q"), **ids).rows
    return staging.stage(name, source.read(QUERY, {}, name="q", batch=None if way == "read" else 700), **ids).rows


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_after_any_byte_is_an_error_or_came_too_late(
    server: Cluster, url: str, report: ReportServer, way: str
) -> None:
    staging = PostgresStaging(report.conninfo())
    with Proxy(server.port) as proxy:
        address = through(proxy, url, server)
        whole = proxy.passed = 0
        source = PostgresSource(address, application_name="ks:cut", snapshot="read")
        assert carried(way, source, staging) == ROWS
        whole = proxy.passed
        source.done()
        chance = random.Random(7)
        places = sorted({*chance.sample(range(1, whole), 60), 1, whole - 1, whole - 10, whole, 2 * whole})
        failed = 0
        for place in places:
            proxy.cut_after(place)
            source = PostgresSource(address, application_name="ks:cut", snapshot="read")
            try:
                assert carried(way, source, staging) == ROWS, f"cut after {place} of {whole} bytes"
            except (DatabaseUnavailable, SnapshotLost) as error:
                assert error.exit_code == ExitCode.TEMPORARY
                assert "production database" in str(error) or isinstance(error, SnapshotLost)
                failed += 1
            finally:
                source.done()
        assert failed >= 55
    with report.admin() as connection:
        held = connection.execute("SELECT rows FROM kubescribe.staged WHERE report = 'there'").fetchall()
        assert {rows for (rows,) in held} == {ROWS}
        tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'there%'"
        assert connection.execute(tables).fetchone() == (len(held),)


@pytest.mark.parametrize("way", WAYS)
def test_a_report_database_that_is_cut_keeps_nothing_of_it(
    server: Cluster, url: str, report: ReportServer, way: str
) -> None:
    with Proxy(report.cluster.port) as proxy:
        staging = PostgresStaging(report.conninfo(port=proxy.port))
        source = PostgresSource(url, application_name="ks:cut", snapshot="read")
        proxy.passed = 0
        carried(way, source, staging)
        whole = proxy.passed
        with report.admin() as connection:
            before = connection.execute("SELECT count(*) FROM kubescribe.staged").fetchone()
        for place in random.Random(8).sample(range(1, whole), 10):
            proxy.cut_after(place)
            with pytest.raises(KubescribeError) as error:
                carried(way, source, staging)
            assert error.value.exit_code == ExitCode.TEMPORARY
        source.done()
    with report.admin() as connection:
        after = connection.execute("SELECT count(*) FROM kubescribe.staged").fetchone()
        assert before is not None and after is not None
        assert after[0] - before[0] <= 1  # a cut after COMMIT was sent: the rows are whole, and nobody's
