"""Readers never wait for a publication, and a publication never waits for readers."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.publishing import World, small
from tests.support.report_database import READER, ReportServer
from tests.support.steps import PUBLISH, at

pytestmark = pytest.mark.integration
SUMS = "SELECT (SELECT sum(k) FROM reports.airports), (SELECT sum(k) FROM reports.delays)"  # of small(n): 3 n + 3


def publish_both(world: World, first: int) -> None:
    attempt = world.attempt()
    attempt.publish(attempt.stage(small(first), "airports"), attempt.stage(small(first), "delays"))


def test_a_reader_of_several_reports_sees_them_all_of_one_moment(world: World, server: ReportServer) -> None:
    publish_both(world, 1)
    with server.reader() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("SELECT min(k) FROM reports.airports").fetchone() == (1,)
        publish_both(world, 2)  # comes back although the reader's transaction is open
        publish_both(world, 3)
        assert reader.execute(SUMS).fetchone() == (6, 6)
        reader.commit()
        assert reader.execute(SUMS).fetchone() == (12, 12)


@pytest.mark.parametrize("step", PUBLISH)
def test_a_reader_does_not_wait_while_a_publication_is_under_way(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    publish_both(world, 1)
    seen = []

    def look() -> None:
        with server.reader() as reader, server.admin() as admin:
            reader.execute("SET lock_timeout = 1")  # one millisecond: whoever would wait fails
            seen.append(reader.execute(SUMS).fetchone())
            strong = admin.execute(
                "SELECT relation::regclass, mode FROM pg_locks WHERE relation IS NOT NULL "
                "AND relation::regclass::text LIKE 'reports.%' AND mode IN ('AccessExclusiveLock', 'ExclusiveLock')"
            ).fetchall()
            assert strong == []
            assert admin.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,)

    attempt = world.attempt()
    staged = attempt.stage(small(2), "airports"), attempt.stage(small(2), "delays")
    at(monkeypatch, step, look)
    attempt.publish(*staged)
    assert seen == [(9, 9) if step == "publish.committed" else (6, 6)]


@pytest.mark.parametrize("step", PUBLISH[:-1])
def test_there_is_no_report_before_its_first_publication_is_committed(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    seen = []

    def look() -> None:
        with server.admin() as admin:
            seen.append(admin.execute("SELECT to_regclass('reports.airports')").fetchone())

    at(monkeypatch, step, look)
    world.published()
    assert seen == [(None,)]


def test_a_reader_executes_only_the_shown_partition(world: World, server: ReportServer) -> None:
    for first in range(4):
        world.published(small(first), key=("k",))
    with server.reader() as reader:
        lines = [row[0] for row in reader.execute("EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM reports.airports")]
    scans = [line for line in lines if "Scan on airports__v" in line]
    assert len(scans) == 4
    assert len([line for line in scans if "never executed" not in line]) == 1


def test_readers_are_granted_the_reports_alone(world: World, server: ReportServer) -> None:
    world.published()
    staged = world.attempt().stage()
    with server.admin() as admin:
        granted = admin.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'reports'::regnamespace "
            "AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(%s, c.oid, 'SELECT')",
            (READER,),
        ).fetchall()
        assert granted == [("airports",)]
        assert admin.execute("SELECT to_regclass(%s)", (f"reports.airports__v{staged.version}",)).fetchone() != (None,)
