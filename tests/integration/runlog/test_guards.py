"""What PostgreSQL itself holds, whoever writes: finality, one transaction, compare and set, HOT beats, indexes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import psycopg
import pytest
from sqlalchemy.dialects.postgresql.base import PGDialect

from kubescribe.adapters.postgres import steps as steps_module
from kubescribe.adapters.postgres import tables, writing
from kubescribe.adapters.postgres.run_log import matching_query, open_query, page_query
from kubescribe.adapters.postgres.shortened import ranges
from kubescribe.application.ports.attempt_log import Beat
from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain import run as steps
from kubescribe.domain.errors import KubescribeError
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence, Run, Transition
from kubescribe.domain.run_status import OPEN, RunStatus
from tests.support.builders import a_claim, a_run, failed, succeeded
from tests.support.clusters import Cluster
from tests.support.runlogs import PostgresWorld
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def world(loop: asyncio.Runner, runlog_url: str) -> Iterator[PostgresWorld]:
    world = PostgresWorld(loop, runlog_url)
    yield world
    world.close()


def running(world: PostgresWorld) -> Run:
    return world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new()))).run


def lose(run: Run, at: datetime) -> Transition:
    return steps.lost(run, actor="r", at=at, evidence=Evidence.DEADLINE, message=None)


@pytest.mark.parametrize("column", [column.name for column in tables.run.columns])
@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_no_column_of_a_terminal_run_changes(world: PostgresWorld, column: str, status: str) -> None:
    run = running(world)
    assert run.attempt_id is not None
    world.run(world.attempt_log.finish(run.attempt_id, succeeded() if status == "succeeded" else failed()))
    with (
        psycopg.connect(world.url) as connection,
        pytest.raises(psycopg.errors.RestrictViolation, match="never changes again"),
    ):
        connection.execute(f"UPDATE run SET {column} = {column}".encode())


def test_events_are_neither_changed_nor_removed(world: PostgresWorld) -> None:
    running(world)
    for statement in (b"UPDATE event SET kind = kind", b"DELETE FROM event"):
        with psycopg.connect(world.url) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)


def test_runs_do_not_end_before_they_begin(world: PostgresWorld) -> None:
    running(world)
    with psycopg.connect(world.url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE run SET status = 'lost', finished_at = started_at - interval '1 microsecond'")


@pytest.mark.parametrize("table", ["event", "incident", "outbox", "run"])
def test_a_transition_is_written_whole_or_not_at_all(world: PostgresWorld, table: str) -> None:
    run = running(world)
    assert run.attempt_id is not None
    world.execute(f"ALTER TABLE {table} ADD CONSTRAINT out_of_order CHECK (false) NOT VALID")
    events = world.run(world.history.events(run.id))
    for write in (
        world.attempt_log.finish(run.attempt_id, failed()),
        world.run_log.move(run.id, RunStatus.RUNNING, lose),
    ):
        with pytest.raises(Exception, match="out_of_order"):
            world.run(write)
        assert world.run(world.run_log.get(run.id)) == run
        assert world.run(world.history.events(run.id)) == events
        assert world.run(world.history.attempts(run.id))[0].certificate is None
        assert world.outbox() == []


@pytest.mark.parametrize("meanwhile", ["released", "taken over"])
def test_a_step_from_what_is_not_so_any_more_writes_nothing(world: PostgresWorld, meanwhile: str) -> None:
    run = running(world)
    assert run.attempt_id is not None
    stale = lose(run, datetime.now(UTC))
    if meanwhile == "released":
        world.run(world.attempt_log.finish(run.attempt_id, failed(status=RunStatus.PENDING)))
    else:
        world.run(world.attempt_log.claim(a_claim(run.id, world.ids.new())))
    before = (world.run(world.run_log.get(run.id)), world.run(world.history.events(run.id)))

    async def by_hand() -> tuple[bool, bool]:
        connection = await asyncpg.connect(**world.address)
        try:
            one = await writing.write(connection, stale)
        finally:
            await connection.close()
        async with world.engine.begin() as other:
            return one, await steps_module.write_step(other, stale)

    assert world.run(by_hand()) == (False, False)
    assert (world.run(world.run_log.get(run.id)), world.run(world.history.events(run.id))) == before
    assert world.outbox() == []


def test_finish_and_move_at_once_give_one_verdict(world: PostgresWorld) -> None:
    async def race(run: Run) -> None:
        assert run.attempt_id is not None
        both = world.attempt_log.finish(run.attempt_id, failed()), world.run_log.move(run.id, RunStatus.RUNNING, lose)
        finished, moved = await asyncio.gather(*both)
        kept = await world.run_log.get(run.id)
        assert finished == kept
        assert moved in (None, kept)
        assert kept.status is (RunStatus.FAILED if moved is None else RunStatus.LOST)

    runs = [running(world) for _ in range(100)]
    for run in runs:
        world.run(race(run))
        events = [event.kind for event in world.run(world.history.events(run.id))]
        assert len(events) == 3 and events[2] in ("run.failed", "run.lost")
    assert sorted(str(notice.run_id) for notice in world.outbox()) == [str(run.id) for run in runs]


def test_two_verdicts_at_once_give_one(world: PostgresWorld) -> None:
    async def both(run: Run) -> list[Run | None]:
        return list(await asyncio.gather(*(world.run_log.move(run.id, RunStatus.RUNNING, lose) for _ in range(4))))

    for _ in range(20):
        assert sum(moved is not None for moved in world.run(both(running(world)))) == 1
    assert len(world.outbox()) == 20


def test_beats_touch_no_index(world: PostgresWorld) -> None:
    run = running(world)
    assert run.attempt_id is not None
    for number in range(50):
        beat = Beat(
            attempt_id=run.attempt_id, lease=60, progress=number / 50, progress_text="x" * number, memory=number
        )
        world.run(world.attempt_log.beat(beat))

    def updates() -> tuple[int, int]:
        with psycopg.connect(world.url) as connection:
            query = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'attempt'"
            row = connection.execute(query).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    world.close()  # its statistics are told at the end of the connection at the latest
    wait_for(lambda: updates()[0] == 50, "the statistics")
    assert updates()[1] >= 49


FILL = """
INSERT INTO run (id, pipeline, status, trigger, actor, parameters, may_publish, created_at, started_at, finished_at,
                 attempts, evidence)
SELECT gen_random_uuid(), 'p' || n % 20, CASE WHEN n % 500 = 0 THEN 'pending' ELSE 'succeeded' END, 'manual', 'a', '{}',
       true, now() - n * interval '1 minute', NULL,
       CASE WHEN n % 500 = 0 THEN NULL ELSE now() - n * interval '1 minute' END, 0, NULL
FROM generate_series(1, 20000) AS n;
ANALYZE run;
"""


@pytest.fixture(scope="module")
def full_url(cluster: Cluster, runlog_template: str) -> Iterator[str]:
    url = cluster.create_database("full", template=runlog_template)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL)
    yield url
    cluster.drop_database("full")


DIALECT: Any = PGDialect  # untyped in SQLAlchemy
KEY = (datetime(2026, 11, 1, tzinfo=UTC), UUID(int=2**127))
QUERIES = {
    "the newest": page_query(RunFilter(), 50, None),
    "before": page_query(RunFilter(), 50, KEY),
    "of a pipeline": page_query(RunFilter(pipeline="p3"), 50, None),
    "of a pipeline, before": page_query(RunFilter(pipeline="p3"), 50, KEY),
    "open": page_query(RunFilter(statuses=OPEN), 50, None),
    "pending": page_query(RunFilter(statuses=(RunStatus.PENDING,)), 50, None),
    "begins": matching_query(ranges("0192abc")[0], "default", 5),
    "ends": matching_query(ranges("0192abc")[1], "default", 5),
    "ends, long": matching_query(ranges("8ddd0192abcd0192")[1], "default", 5),
    "all open": open_query(),
}


@pytest.mark.parametrize("name", QUERIES)
def test_lists_come_from_indexes(full_url: str, name: str) -> None:
    text = str(QUERIES[name].compile(dialect=DIALECT(), compile_kwargs={"literal_binds": True}))
    with psycopg.connect(full_url) as connection:
        rows = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS OFF) " + text.encode()).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on run" not in plan, plan
    assert "Index" in plan, plan
    for forbidden in ("OFFSET", "count("):
        assert forbidden not in text


def test_nan_is_no_duration(world: PostgresWorld) -> None:
    run = running(world)
    assert run.attempt_id is not None
    assert world.run(world.attempt_log.finish(run.attempt_id, succeeded(duration=math.nan))).duration == 0.0


def test_a_pooler_may_change_the_server_between_transactions(loop: asyncio.Runner, runlog_url: str) -> None:
    """DISCARD ALL takes everything that a session knows, as another server session behind a pooler does."""
    from kubescribe.adapters.postgres.attempt_log import PostgresAttemptLog
    from kubescribe.adapters.postgres.engine import runlog_engine
    from kubescribe.adapters.postgres.run_log import PostgresRunLog
    from tests.support.addresses import asyncpg_address

    address = asyncpg_address(runlog_url) | {"statement_cache_size": 0}

    async def work() -> None:
        log, engine = PostgresAttemptLog(address), runlog_engine(address)
        run_log = PostgresRunLog(engine)
        world_ids = [UUID(int=number) for number in range(1, 12)]

        async def forget() -> None:
            kept = log._session._connection
            if kept is not None:
                await kept.execute("DISCARD ALL")
            async with engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                assert raw is not None
                await raw.execute("DISCARD ALL")

        for number in range(1, 4):
            run_id, attempt_id = world_ids[number], world_ids[number + 4]
            await run_log.create(a_run(run_id))
            await forget()
            await log.claim(a_claim(run_id, attempt_id))
            await forget()
            assert (await log.beat(Beat(attempt_id=attempt_id, lease=1))).current
            await forget()
            assert (await run_log.get(run_id)).status is RunStatus.RUNNING
            assert len(await run_log.open_runs()) == 1
            await forget()
            run = await log.finish(attempt_id, failed(FailureCause.ERROR))
            assert run.status is RunStatus.FAILED
        await log.close()
        await engine.dispose()

    loop.run(work())


def test_a_mistake_of_ours_is_not_taken_for_the_database(world: PostgresWorld) -> None:
    world.execute("ALTER TABLE note ADD CONSTRAINT out_of_order CHECK (false) NOT VALID")
    from kubescribe.domain.note import Note, NoteKind

    run = running(world)
    assert run.attempt_id is not None
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        note = Note(attempt_id=run.attempt_id, seq=1, kind=NoteKind.NOTE, data={})
        world.run(world.attempt_log.note((note,)))
    assert not isinstance(caught.value, KubescribeError)
    assert world.run(world.attempt_log.beat(Beat(attempt_id=run.attempt_id, lease=1))).current
