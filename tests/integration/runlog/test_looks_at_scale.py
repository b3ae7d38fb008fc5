"""A look at RunLog reads what it shows, and not the tables: counted by the server, with statistics and without.

Each look is taken as the product takes it, more often than the server makes a new plan for each time. No seconds are
asserted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from kubescribe.adapters.postgres.engine import runlog_engine
from kubescribe.adapters.postgres.event_chain import PostgresEventChain
from kubescribe.adapters.postgres.outbox import PostgresOutbox
from kubescribe.adapters.postgres.run_figures import PostgresRunFigures
from kubescribe.adapters.postgres.run_history import PostgresRunHistory
from kubescribe.adapters.postgres.run_log import PostgresRunLog
from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain.run import Trigger
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.tenant import DEFAULT_TENANT
from tests.bench.history import History, fill
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.three_databases import three_databases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

RUNS = 30_000
TIMES = 8
"""The server makes a plan for each of the first five, and may then keep one for all."""
ROWS = 220
"""That one look may read: three pages of fifty, or what is kept beside a run, and some more."""

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
READ = """
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables
WHERE relname IN ('run', 'attempt', 'event', 'note', 'log_chunk', 'outbox')
"""


class Looker:
    """The readers of one RunLog."""

    def __init__(self, url: str, kept: History, attempt: UUID) -> None:
        self.run, self.attempt, self.pipeline = kept.runs[0], attempt, kept.pipelines[7]
        address = asyncpg_address(url)
        self.engine = runlog_engine(address)
        self.run_log = PostgresRunLog(self.engine)
        self.history = PostgresRunHistory(self.engine)
        self.figures = PostgresRunFigures(address)
        self.chain = PostgresEventChain(address)
        self.outbox = PostgresOutbox(address)

    def find(self, **which: Any) -> Awaitable[object]:
        return self.run_log.find(RunFilter(**which), limit=50)

    async def close(self) -> None:
        await self.engine.dispose()
        for one in (self.figures, self.chain, self.outbox):
            await one.close()


LOOKS: dict[str, Callable[[Looker], Awaitable[object]]] = {
    "latest": lambda one: one.find(),
    "latest failed of a pipeline": lambda one: one.find(pipeline=one.pipeline, statuses=(RunStatus.FAILED,)),
    "latest of a pipeline": lambda one: one.find(pipeline=one.pipeline),
    "latest failed and lost": lambda one: one.find(statuses=(RunStatus.FAILED, RunStatus.LOST)),
    "latest by a trigger": lambda one: one.find(trigger=Trigger.API),
    "latest of an actor": lambda one: one.find(actor="token:deploy-3"),
    "retries of a run": lambda one: one.find(retry_of=one.run),
    "a run": lambda one: one.run_log.get(one.run),
    "runs by the beginning of their id": lambda one: one.run_log.matching(str(one.run)[:20]),
    "runs by the end of their id": lambda one: one.run_log.matching(str(one.run)[-8:]),
    "open runs": lambda one: one.run_log.open_runs(),
    "a record": lambda one: one.history.record(one.run),
    "attempts": lambda one: one.history.attempts(one.run),
    "events": lambda one: one.history.events(one.run, limit=500),
    "notes": lambda one: one.history.notes(one.run),
    "output": lambda one: one.history.output(one.attempt, limit=10),
    "figures": lambda one: one.figures.figures(DEFAULT_TENANT),
    "tenants with events": lambda one: one.chain.tenants(),
    "the chain's head": lambda one: one.chain.head(DEFAULT_TENANT),
    "a page of the chain": lambda one: one.chain.links(DEFAULT_TENANT, after=40_000, limit=100),
    "events to be sealed": lambda one: one.chain.unsealed(DEFAULT_TENANT),
    "messages": lambda one: one.outbox.standing(DEFAULT_TENANT),
    "messages that were given up": lambda one: one.outbox.dead(DEFAULT_TENANT),
}


class Scale:
    """A RunLog with a long history."""

    def __init__(self, url: str, kept: History) -> None:
        self.url, self.kept = url, kept
        self.admin = psycopg.connect(url, autocommit=True)
        row = self.admin.execute("SELECT id FROM attempt WHERE run_id = %s", [kept.runs[0]]).fetchone()
        assert row is not None
        self.attempt: UUID = row[0]

    def rows_read(self, look: Callable[[Looker], Awaitable[object]]) -> float:
        """By one of several looks."""

        async def take_looks() -> None:
            looker = Looker(self.url, self.kept, self.attempt)
            try:
                for _ in range(TIMES):
                    await look(looker)
            finally:
                await looker.close()

        before = self._counted()
        asyncio.run(take_looks())
        return (self._counted() - before) / TIMES

    def forget_statistics(self) -> None:
        """As after a restore, before anybody has analysed anything."""
        self.admin.execute("DELETE FROM pg_statistic")
        self.admin.execute("UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0 WHERE oid >= 16384")

    def _counted(self) -> int:
        # A server process tells what it has read before it ends.
        wait_for(lambda: self.admin.execute(f"SELECT {OTHERS}".encode()).fetchone() is None, "them to end")
        row = self.admin.execute(READ).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module", params=["with statistics", "without"])
def scale(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(settings={"autovacuum": "off"}))
        databases = stack.enter_context(three_databases(cluster))
        folder: Path = tmp_path_factory.mktemp("scale")
        commands = CommandLine(folder, databases, KUBESCRIBE_PIPELINES="tests.bench.pipelines")
        made = Scale(databases.runlog, fill(databases.runlog, commands, RUNS))
        stack.callback(made.admin.close)
        if request.param == "without":
            made.forget_statistics()
        yield made


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_reads_what_it_shows(scale: Scale, name: str) -> None:
    assert scale.rows_read(LOOKS[name]) <= ROWS


def test_a_look_that_reads_a_table_would_be_seen(scale: Scale) -> None:
    async def everything(one: Looker) -> None:
        await one.run_log.find(RunFilter(), limit=RUNS)

    assert scale.rows_read(everything) > RUNS / 2
