"""Columns that change beside readers, and what depends on a report."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import psycopg
import pytest

from kubescribe.domain.errors import DatabaseUnavailable, ReportDependedOn, ReportMismatch
from kubescribe.domain.mode import SchemaRule
from tests.support.modes import MODES, rows
from tests.support.proxy import Proxy
from tests.support.publishing import World, run
from tests.support.report_database import READER, ReportServer
from tests.support.report_worlds import postgres_world
from tests.support.steps import PUBLISH, at

pytestmark = pytest.mark.integration
WIDER = rows(2).with_columns(x=pl.lit(1))
NARROWER = rows(2).drop("by")
RECREATE: dict[str, Any] = {"schema": SchemaRule.RECREATE}
CHANGES = [
    pytest.param(mode, frame, how, id=f"{mode}-{'recreate' if how else 'extend'}")
    for mode in MODES
    for frame, how in ((WIDER, {}), (NARROWER, RECREATE))
]
ALL = "SELECT * FROM reports.airports"


@pytest.mark.parametrize(("mode", "frame", "how"), CHANGES)
def test_a_change_waits_for_the_reader_that_is_there_and_lets_others_pass(
    world: World, server: ReportServer, mode: str, frame: pl.DataFrame, how: dict[str, Any]
) -> None:
    world.published(rows(1), **MODES[mode])
    attempt = world.attempt()
    staged = attempt.stage(frame, **MODES[mode], **how)
    with ThreadPoolExecutor(1) as thread, server.reader() as reader:
        assert len(reader.execute(ALL).fetchall()) == 3
        publishing = thread.submit(attempt.publish, staged)
        longest = 0.0
        for _ in range(20):
            started = time.monotonic()
            with server.reader() as other:
                assert len(other.execute(ALL).fetchall()) == 3
            longest = max(longest, time.monotonic() - started)
        assert not publishing.done()
        assert longest < 2  # a busy machine; without the timeout it is until the reader ends
        assert len(reader.execute(ALL).fetchall()) == 3
    assert publishing.result() == run(world.fences.publications(attempt.run_id)) != ()
    assert len((world.read("airports") or [()])[0]) == frame.width


@pytest.mark.parametrize(("mode", "frame", "how"), CHANGES)
def test_a_reader_that_does_not_end_is_named_as_the_reason(
    server: ReportServer, mode: str, frame: pl.DataFrame, how: dict[str, Any]
) -> None:
    world = postgres_world(server, readers_timeout=0.2)
    world.published(rows(1), **MODES[mode])
    attempt = world.attempt()
    staged = attempt.stage(frame, **MODES[mode], **how)
    with server.reader() as reader:
        reader.execute(ALL)
        with pytest.raises(DatabaseUnavailable, match="an open transaction that reads it is in the way"):
            attempt.publish(staged)
    assert run(world.fences.publications(attempt.run_id)) == ()
    assert attempt.publish(staged)
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", MODES)
def test_an_older_snapshot_sees_its_rows_beside_an_added_column(world: World, server: ReportServer, mode: str) -> None:
    world.published(rows(1), **MODES[mode])
    with server.reader() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        world.published(WIDER, **MODES[mode])
        found = sorted(reader.execute(ALL).fetchall(), key=str)
    assert found == sorted([(*row, None) for row in rows(1).rows()], key=str)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "and published again"])
@pytest.mark.parametrize("anew", [NARROWER, NARROWER.clear()], ids=["rows", "empty"])
@pytest.mark.parametrize("mode", MODES)
def test_an_older_snapshot_is_told_when_the_report_was_made_anew(
    world: World, server: ReportServer, mode: str, anew: pl.DataFrame, times: int
) -> None:
    world.published(rows(1), **MODES[mode])
    with server.reader() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        for _ in range(times):
            world.published(anew, **MODES[mode], **RECREATE)
        with pytest.raises(psycopg.errors.SerializationFailure, match="report airports was made anew"):
            reader.execute(ALL)
        reader.rollback()
        assert len(reader.execute(ALL).fetchall()) == anew.height * (times if mode == "append" else 1)


@pytest.mark.parametrize("step", PUBLISH[:-1])
@pytest.mark.parametrize(("mode", "frame", "how"), CHANGES)
def test_no_reader_waits_or_sees_anything_before_the_end(
    world: World,
    server: ReportServer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    mode: str,
    frame: pl.DataFrame,
    how: dict[str, Any],
) -> None:
    world.published(rows(1), **MODES[mode])
    seen = []

    def look() -> None:
        with server.reader() as reader:
            reader.execute("SET lock_timeout = 1")
            seen.append(sorted(reader.execute(ALL).fetchall(), key=str))

    at(monkeypatch, step, look)
    world.published(frame, **MODES[mode], **how)
    assert seen == [sorted(rows(1).rows(), key=str)]


@pytest.mark.parametrize("deliver", [False, True], ids=["lost COMMIT", "lost answer"])
@pytest.mark.parametrize(("mode", "frame", "how"), CHANGES)
def test_a_cut_at_the_message_that_changes_and_commits(
    world: World,
    through: World,
    proxy: Proxy,
    mode: str,
    frame: pl.DataFrame,
    how: dict[str, Any],
    deliver: bool,
) -> None:
    world.published(rows(1), **MODES[mode])
    attempt = through.attempt()
    staged = attempt.stage(frame, **MODES[mode], **how)
    cut = proxy.cut(b"VIEW", deliver=deliver)
    assert attempt.publish(staged)
    assert cut.done == 1
    assert len(run(world.catalogue.ledger("airports"))) == 2
    assert len((world.read("airports") or [()])[0]) == frame.width
    assert run(world.catalogue.verify("airports")).differences == ()


def test_what_depends_on_a_report_is_named_and_never_dropped(world: World, server: ReportServer) -> None:
    world.published(rows(1))
    late = world.attempt()
    with server.admin() as admin:
        admin.execute(
            "CREATE SCHEMA mart; CREATE VIEW mart.by_run AS SELECT by, count(*) FROM reports.airports GROUP BY 1"
        )
        staged = late.stage(rows(3))
        admin.execute("CREATE FUNCTION mart.f(a reports.airports) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'")
        with pytest.raises(ReportMismatch, match=r"column by is missing.*view mart\.by_run") as refused:
            world.attempt().stage(NARROWER)
        assert refused.value.dependants == ("function mart.f(reports.airports)", "view mart.by_run")
        with pytest.raises(ReportDependedOn, match=r"view mart\.by_run") as depended:
            world.attempt().stage(NARROWER, **RECREATE)
        assert depended.value.exit_code == 65
        late.publish(staged)
        world.published(rows(2).with_columns(x=pl.lit(1)))  # an added column breaks nothing
        assert admin.execute("SELECT count(*) FROM mart.by_run").fetchone() == (1,)
        admin.execute("DROP SCHEMA mart CASCADE")
    assert world.published(NARROWER, **RECREATE)


def test_what_began_to_depend_after_the_rows_were_staged(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.published(rows(1))
    attempt = world.attempt()
    staged = attempt.stage(NARROWER, **RECREATE)

    def depend() -> None:
        with server.admin() as admin:
            admin.execute("CREATE VIEW reports.onlooker AS SELECT * FROM reports.airports")

    at(monkeypatch, "publish.pointed", depend)
    with pytest.raises(ReportDependedOn, match="onlooker"):
        attempt.publish(staged)
    assert sorted(world.read("airports") or (), key=str) == sorted(rows(1).rows(), key=str)


def test_grants_and_comment_are_carried_over_neither_more_nor_less(world: World, server: ReportServer) -> None:
    world.published(rows(1))
    granted = "SELECT relacl::text FROM pg_class WHERE oid = 'reports.airports'::regclass"
    with server.admin() as admin:
        admin.execute("DROP ROLE IF EXISTS analyst")
        admin.execute("CREATE ROLE analyst")
        try:
            admin.execute(f"REVOKE ALL ON reports.airports FROM {READER}".encode())
            admin.execute("GRANT SELECT ON reports.airports TO analyst WITH GRANT OPTION")
            admin.execute("GRANT UPDATE (k, by) ON reports.airports TO analyst")
            admin.execute("COMMENT ON VIEW reports.airports IS 'it''s \\ here'")
            before = admin.execute(granted).fetchone()
            world.published(NARROWER, **RECREATE)
            assert admin.execute(granted).fetchone() == before
            assert admin.execute("SELECT obj_description('reports.airports'::regclass)").fetchone() == ("it's \\ here",)
            columns = (
                "SELECT attname FROM pg_attribute WHERE attrelid = 'reports.airports'::regclass AND attacl IS NOT NULL"
            )
            assert admin.execute(columns).fetchall() == [("k",)]
            readable = "SELECT has_table_privilege('reader', 'reports.airports', 'SELECT')"
            assert admin.execute(readable).fetchone() == (False,)
        finally:
            admin.execute("DROP OWNED BY analyst; DROP ROLE analyst")


def test_earlier_generations_go_when_nobody_reads_them(world: World, server: ReportServer) -> None:
    relations = "SELECT relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace AND relkind IN ('p', 'r')"
    first = world.published(rows(1), **MODES["append"])
    world.published(rows(2), **MODES["append"])
    with server.reader() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")  # its moment: it might still look for rows in the first generation
        second = world.published(NARROWER, **MODES["append"], **RECREATE)
        assert first.version not in run(world.publisher.retire("airports", 5))
    assert first.version in run(world.publisher.retire("airports", 5))
    with server.admin() as admin:
        left = {row[0] for row in admin.execute(relations)}
    assert left == {"airports__versions_g2", f"airports__v{second.version}"}


def test_a_version_that_was_attached_to_an_earlier_generation_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.published(rows(1))
    late, remaker, restorer = world.attempt(), world.attempt(), world.attempt()
    staged = late.stage(rows(2))
    anew = remaker.stage(NARROWER, **RECREATE)

    def remake() -> None:
        from tests.support.publishing import apart

        apart(world.publisher.publish(remaker.request, (anew,)))
        again = restorer.stage(rows(3), **RECREATE)
        apart(world.publisher.publish(restorer.request, (again,)))

    at(monkeypatch, "publish.attached", remake)
    with pytest.raises(ReportMismatch, match="it was made anew while this run was on its way"):
        late.publish(staged)
    assert sorted(world.read("airports") or (), key=str) == sorted(rows(3).rows(), key=str)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_a_dropped_view_comes_back_with_the_next_publication(world: World, server: ReportServer) -> None:
    for mode in MODES:
        world.published(rows(1), mode, **MODES[mode])
        with server.admin() as admin:
            admin.execute(f"DROP VIEW reports.{mode}".encode())
        world.published(rows(2), mode, **MODES[mode])
        assert world.read(mode)
