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
from kubescribe.domain.errors import DatabaseUnavailable, SnapshotLost
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.report import ReportSpec

pytestmark = pytest.mark.integration

ROWS = 5_000
QUERY = f"SELECT g AS id, repeat(md5(g::text), 2) AS t, (g / 4.0)::numeric(9,2) AS n FROM generate_series(1, {ROWS}) g"
WAYS = ("read", "scan", "copy")
ANSWERED, SENT = 60, 8
"""Places at which each way is cut, towards where the rows go and back: over 200 for each database."""


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


def places(whole: int, count: int) -> list[int]:
    """After how many bytes of ``whole`` to cut: the edges, and so many in between."""
    return sorted({*random.Random(whole).sample(range(1, whole), count), 1, whole - 1})


@pytest.mark.parametrize("way", WAYS)
def test_production_is_cut_after_any_byte(server: Cluster, url: str, report: ReportServer, way: str) -> None:
    """Everything came, or an error; by any of its connections, the snapshot's among them."""
    staging = PostgresStaging(report.conninfo())
    with Proxy(server.port) as proxy:

        def carry() -> int:
            source = PostgresSource(through(proxy, url, server), application_name="ks:cut")
            try:
                return carried(way, source, staging)
            finally:
                source.done()

        assert carry() == ROWS
        answered, sent = proxy.passed, proxy.sent
        cuts = [{"answered": place} for place in places(answered, ANSWERED)]
        cuts += [{"sent": place} for place in places(sent, SENT)]
        failed = 0
        for cut in cuts:
            proxy.cut_after(**cut)
            try:
                assert carry() == ROWS, f"cut after {cut} of {answered} and {sent} bytes"
            except (DatabaseUnavailable, SnapshotLost) as error:
                assert "the production database" in str(error) or "snapshot of the production database" in str(error)
                failed += 1
        assert failed >= len(cuts) - 5
        proxy.cut_after(2 * answered)
        assert carry() == ROWS
    expect_whole_or_nothing(report)


def expect_whole_or_nothing(report: ReportServer) -> None:
    with report.admin() as connection:
        held = connection.execute("SELECT rows FROM kubescribe.staged WHERE report = 'there'").fetchall()
        assert {rows for (rows,) in held} == {ROWS}
        tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'there%'"
        assert connection.execute(tables).fetchone() == (len(held),)


@pytest.mark.parametrize("way", WAYS)
def test_the_report_database_is_cut_after_any_byte(server: Cluster, url: str, report: ReportServer, way: str) -> None:
    """Nothing is kept, or everything, of which only the answer was lost."""
    with Proxy(report.cluster.port) as proxy:
        staging = PostgresStaging(report.conninfo(port=proxy.port))
        source = PostgresSource(url, application_name="ks:cut")
        proxy.passed = proxy.sent = 0
        assert carried(way, source, staging) == ROWS
        answered, sent = proxy.passed, proxy.sent
        assert sent > 400_000  # the rows themselves
        cuts = [{"answered": place} for place in places(answered, SENT)]
        cuts += [{"sent": place} for place in places(sent, ANSWERED)]
        for cut in cuts:
            proxy.cut_after(**cut)
            with pytest.raises(DatabaseUnavailable, match="the report database does not answer") as error:
                carried(way, source, staging)
            assert error.value.exit_code == ExitCode.TEMPORARY
        proxy.cut_after()
        assert carried(way, source, staging) == ROWS
        source.done()
    expect_whole_or_nothing(report)
