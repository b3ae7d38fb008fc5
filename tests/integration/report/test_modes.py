"""Modes that change rows in place, beside other runs, readers and faults."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from kubescribe.domain.errors import ChecksFailed, DatabaseUnavailable, StagingIncomplete
from tests.support.modes import IN_PLACE, MODES, expect_whole, numbered, published_at_once, replayed, rows
from tests.support.proxy import Proxy
from tests.support.publishing import World, run
from tests.support.report_database import ReportServer
from tests.support.steps import PUBLISH, at

pytestmark = pytest.mark.integration
RUNS = 8


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_runs_that_publish_one_report_at_once_all_end_well_and_lose_nothing(
    world: World, mode: str, existing: bool
) -> None:
    if existing:
        world.published(rows(99), **MODES[mode])
    order = [*([99] if existing else []), *published_at_once(world, mode, RUNS)]
    assert sorted(order) == [*range(1, RUNS + 1), *([99] if existing else [])]
    assert sorted(world.read("airports") or (), key=str) == replayed(mode, order)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_a_key_that_two_runs_append_at_once_is_in_the_report_once(world: World) -> None:
    world.published(rows(99).filter(rows(99)["k"] > 0), key=("k",), **MODES["append"])
    attempts = [world.attempt() for _ in range(4)]
    staged = [one.stage(rows(n), key=("k",), **MODES["append"]) for n, one in enumerate(attempts, 1)]

    async def all_at_once() -> list[object]:
        return await asyncio.gather(
            *(world.publisher.publish(one.request, (item,)) for one, item in zip(attempts, staged, strict=True)),
            return_exceptions=True,
        )

    ended = run(all_at_once())
    assert sum(isinstance(one, ChecksFailed) for one in ended) == 3
    assert sum(isinstance(one, tuple) for one in ended) == 1
    assert [row[0] for row in world.read("airports") or ()].count(0) == 1


@pytest.mark.parametrize("step", PUBLISH)
@pytest.mark.parametrize("mode", IN_PLACE)
def test_a_cut_at_every_step(
    world: World, through: World, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, mode: str, step: str
) -> None:
    first = world.attempt()
    first.publish(numbered(first, 1, mode))
    attempt = through.attempt()
    staged = numbered(attempt, 2, mode)
    runs = {first.run_id: 1, attempt.run_id: 2}
    reached = at(monkeypatch, step, proxy.drop)
    if step in ("publish.pointed", "publish.committed"):
        assert attempt.publish(staged)
    else:
        with pytest.raises(DatabaseUnavailable):
            attempt.publish(staged)
        expect_whole(world, mode, runs)
        assert len(run(world.catalogue.ledger("airports"))) == 1
    assert step in reached
    attempt.publish(staged)
    assert len(run(world.catalogue.ledger("airports"))) == 2
    expect_whole(world, mode, runs)


@pytest.mark.parametrize("deliver", [False, True], ids=["lost COMMIT", "lost answer"])
@pytest.mark.parametrize("mode", IN_PLACE)
def test_a_cut_at_commit_is_settled_by_the_ledger(
    world: World, through: World, proxy: Proxy, mode: str, deliver: bool
) -> None:
    first = world.attempt()
    first.publish(numbered(first, 1, mode))
    attempt = through.attempt()
    staged = numbered(attempt, 2, mode)
    cut = proxy.cut(b"COMMIT\0", deliver=deliver)
    (row,) = attempt.publish(staged)
    assert (cut.done, row.version) == (1, staged.version)
    expect_whole(world, mode, {first.run_id: 1, attempt.run_id: 2})


@pytest.mark.parametrize("deliver", [False, True])
def test_a_lost_answer_while_appended_rows_are_taken_out(
    world: World, through: World, proxy: Proxy, deliver: bool
) -> None:
    for number in (1, 2, 3):
        world.published(rows(number), **MODES["append"])
    order = {"to": None, "rollback_id": world.attempt().run_id, "actor": "eve", "reason": None}
    proxy.cut(b"COMMIT", deliver=deliver)
    first = run(through.catalogue.roll_back("airports", **order))  # type: ignore[arg-type]
    assert run(through.catalogue.roll_back("airports", **order)) == first  # type: ignore[arg-type]
    assert len(run(world.catalogue.ledger("airports"))) == 4
    assert sorted(world.read("airports") or (), key=str) == replayed("append", [1, 2])
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("step", ["publish.changed", "publish.pointed"])
@pytest.mark.parametrize("mode", IN_PLACE)
def test_a_crash_of_the_server(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch, mode: str, step: str
) -> None:
    def crash() -> None:
        server.cluster.crash()
        server.cluster.start()

    first, attempt = world.attempt(), world.attempt()
    first.publish(numbered(first, 1, mode))
    staged = numbered(attempt, 2, mode)
    at(monkeypatch, step, crash)
    try:
        attempt.publish(staged)
    except DatabaseUnavailable:
        attempt.publish(staged)
    expect_whole(world, mode, {first.run_id: 1, attempt.run_id: 2})


@pytest.mark.parametrize("mode", MODES)
def test_a_repeatable_reader_sees_the_old_rows_or_the_new(world: World, server: ReportServer, mode: str) -> None:
    world.published(rows(1), "airports", **MODES[mode])
    world.published(rows(1), "delays", **MODES[mode])
    with server.reader() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert sorted(reader.execute("SELECT * FROM reports.airports").fetchall(), key=str) == replayed(mode, [1])
        attempt = world.attempt()
        attempt.publish(numbered(attempt, 2, mode), numbered(attempt, 2, mode, "delays"))
        for report in ("airports", "delays"):
            found = reader.execute(f"SELECT * FROM reports.{report}".encode()).fetchall()
            assert sorted(found, key=str) == replayed(mode, [1])
        reader.commit()
        for report in ("airports", "delays"):
            found = reader.execute(f"SELECT * FROM reports.{report}".encode()).fetchall()
            assert sorted(found, key=str) == replayed(mode, [1, 2])


@pytest.mark.parametrize("step", PUBLISH)
@pytest.mark.parametrize("mode", IN_PLACE)
def test_a_reader_does_not_wait_for_rows_that_change(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch, mode: str, step: str
) -> None:
    world.published(rows(1), **MODES[mode])
    seen = []

    def look() -> None:
        with server.reader() as reader:
            reader.execute("SET lock_timeout = 1")  # one millisecond: whoever would wait fails
            seen.append(sorted(reader.execute("SELECT * FROM reports.airports").fetchall(), key=str))

    at(monkeypatch, step, look)
    world.published(rows(2), **MODES[mode])
    assert seen == [replayed(mode, [1, 2] if step == "publish.committed" else [1])]


@pytest.mark.parametrize("mode", IN_PLACE)
def test_each_row_says_which_run_wrote_it_and_readers_do_not_see_that(
    world: World, server: ReportServer, mode: str
) -> None:
    first, second = world.attempt(), world.attempt()
    first.publish(numbered(first, 1, mode))
    second.publish(numbered(second, 2, mode))
    with server.admin() as admin:
        written = admin.execute("SELECT DISTINCT by, _run_id FROM reports.airports__versions ORDER BY by").fetchall()
        assert written == [("run 1", first.run_id), ("run 2", second.run_id)]
        shown = admin.execute("SELECT * FROM reports.airports").description
    assert [column.name for column in shown or ()] == ["k", "p", "by"]


def test_rows_that_left_the_staged_table_are_missed(world: World, server: ReportServer) -> None:
    world.published(rows(1), **MODES["append"])
    attempt = world.attempt()
    staged = numbered(attempt, 2, "append")
    with server.admin() as admin:
        admin.execute(f"DELETE FROM reports.airports__v{staged.version} WHERE k = 0".encode())
    with pytest.raises(StagingIncomplete):
        attempt.publish(staged)
    assert sorted(world.read("airports") or (), key=str) == replayed("append", [1])


@pytest.mark.parametrize("mode", IN_PLACE)
def test_the_sum_can_be_computed_as_the_documentation_says(world: World, server: ReportServer, mode: str) -> None:
    world.published(rows(1), **MODES[mode])
    row = world.published(rows(2), **MODES[mode])
    with server.reader() as reader:
        reader.execute("SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'")
        found = reader.execute(
            "SELECT count(*), sum(hashtextextended(line, 1)), sum(hashtextextended(line, 2)) FROM "
            """(SELECT rtrim(ROW(r.*)::text, ',)') COLLATE "C" AS line FROM reports.airports r) AS lines"""
        ).fetchone()
    assert found is not None
    assert row.content == "rowsum:" + "".join(f"{int(half) % 2**64:016x}" for half in found[1:])


def test_nothing_is_left_of_what_was_staged(world: World, server: ReportServer) -> None:
    for number in (1, 2, 3):
        world.published(rows(number), **MODES["merge"])
    run(world.publisher.retire("airports", 5))
    with server.admin() as admin:
        assert admin.execute("SELECT count(*) FROM kubescribe.staged").fetchone() == (1,)
        tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'reports'::regnamespace AND relkind = 'r'"
        assert admin.execute(tables).fetchone() == (1,)
