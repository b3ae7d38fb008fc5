"""A small world to break: RunLog, production and report database on a cluster each, processes, and a reader."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from psycopg.rows import dict_row

from kubescribe.adapters.postgres.migrate import migrate as migrate_runlog
from kubescribe.adapters.report.migrate import migrate as migrate_report

from .addresses import asyncpg_address
from .clusters import Cluster
from .family_plans import FIRST, draw_plan
from .reconciler import Passes, Reconciler
from .report_history import ReportHistory
from .report_reader import ReportReader
from .supervised import ROOT, Supervised
from .waiting import wait_for

DATABASES = ("runlog", "production", "report")
FAMILY, COPIES = ("run", "family"), ("run", "copies")
"""What publishes the reports of a plan: from frames, and from database to database."""
HEARTBEAT, LEASE = 0.3, 1.0
"""Seconds: short, so that a test can outlive a lease."""
_SOURCE = "CREATE TABLE source AS SELECT n, n * 1.5::float8 AS value FROM generate_series(0, 50) n"


class World:
    """``with World() as world: world.start(run_id)``."""

    keep = 2
    """Versions of a report that are kept."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="world-"))
        self.clusters = {name: Cluster() for name in DATABASES}
        self.processes: list[Supervised] = []
        """Of the run at hand."""
        self.dice = random.Random(0)
        """What the next runs publish is drawn from it."""
        self.acts: Counter[str] = Counter()
        """What was done to runs, in words, and how often."""
        self.spoiled = False
        """Whether the reports are not what they should be, so that nothing else can be tried in this world."""
        self.history = ReportHistory(lambda query, *values: self.rows("report", query, *values))
        self._started = 0
        self._connections: dict[str, psycopg.Connection[dict[str, Any]]] = {}
        self._down: set[str] = set()

    def __enter__(self) -> World:
        for name, cluster in self.clusters.items():
            cluster.start()
            cluster.create_database(name)
        asyncio.run(migrate_runlog(asyncpg_address(self.url("runlog"))))
        asyncio.run(migrate_report(asyncpg_address(self.url("report"))))
        self.change("production", _SOURCE)
        self.environment = self._environment()
        self.reconciler: Passes = Reconciler(self.environment)
        self.reader = ReportReader(self.url("report"))
        run_id = uuid4()  # makes the reports, so that every later run changes something
        self.history.plans[run_id] = FIRST
        first = self.start(run_id)
        assert first.ended() == 0, first.output
        self.history.follow()
        self.processes.clear()
        self.reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.close()
        try:
            self.reconciler.close()
            self.reader.stop()
        finally:
            for connection in self._connections.values():
                connection.close()
            for cluster in self.clusters.values():
                cluster.destroy()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        # whoever forbids compiled files has every process compile the product anew, which is most of its start
        left_out = ("KUBESCRIBE_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return {
            **ours,
            "PYTHONPATH": str(ROOT / ".import"),
            "RUNLOG_DB_URL": self.url("runlog"),
            "PROD_DB_URL": self.url("production"),
            "REPORT_DB_URL": self.url("report"),
            "KUBESCRIBE_HOME": str(self._folder / "home"),
            "KUBESCRIBE_PIPELINES": "tests.support.fault_pipelines",
            "KUBESCRIBE_HEARTBEAT": f"{HEARTBEAT}s",
            "KUBESCRIBE_LEASE": f"{LEASE}s",
            "KUBESCRIBE_GRACE": "2s",
            "KUBESCRIBE_CONNECT_TIMEOUT": "2s",
            "KUBESCRIBE_KEEP_VERSIONS": str(self.keep),
            "KUBESCRIBE_ACTOR": "user:chaos",
            "POLARS_MAX_THREADS": "1",
        }

    # -- databases -----------------------------------------------------------------------------------------------

    def url(self, database: str) -> str:
        return self.clusters[database].url(database)

    def connection(self, database: str) -> psycopg.Connection[dict[str, Any]]:
        """One that is kept, as long as its server lives; in autocommit."""
        if database not in self._connections:
            kept = psycopg.Connection[dict[str, Any]].connect(self.url(database), autocommit=True, row_factory=dict_row)
            self._connections[database] = kept
        return self._connections[database]

    def rows(self, database: str, query: str, *values: object) -> list[dict[str, Any]]:
        return self.connection(database).execute(query.encode(), values).fetchall()

    def change(self, database: str, statement: str, *values: object) -> None:
        self.connection(database).execute(statement.encode(), values)

    def crash(self, database: str) -> None:
        """Immediate stop; :meth:`up` starts it again."""
        if (connection := self._connections.pop(database, None)) is not None:
            connection.close()
        self.clusters[database].crash()
        self._down.add(database)

    def up(self) -> None:
        """Start whatever was crashed."""
        for database in sorted(self._down):
            self.clusters[database].start()
        self._down.clear()

    # -- processes -----------------------------------------------------------------------------------------------

    def start(
        self,
        run_id: UUID,
        *options: str,
        hold: str | None = None,
        command: tuple[str, ...] = (),
        work: tuple[str, ...] = FAMILY,
        environment: Mapping[str, str] | None = None,
    ) -> Supervised:
        """``kubescribe`` with the words of ``work`` or, with a command, ``kubescribe exec`` of it.

        A pipeline gets the plan that was made for the run.
        """
        what, end = ("exec", "--name", "script") if command else work, ("--", *command) if command else ()
        if what[0] == "run":
            end = ("--param", f"plan={msgspec.json.encode(self.history.plans[run_id]).decode()}")
        arguments = (*what, "--run-id", str(run_id), *options, *end)
        self._started += 1
        process = Supervised(self._folder, self._started, arguments, {**self.environment, **(environment or {})}, hold)
        self.processes.append(process)
        return process

    def plan(self, run_id: UUID) -> None:
        """Make up what a run is to publish: something that fits the reports as they are now."""
        self.history.follow()
        self.history.plans[run_id] = draw_plan(self.dice, self.history.model)

    def start_reconciler(self, hold: str) -> Supervised:
        """``kubescribe reconcile`` in a process of its own, to be held at a step."""
        self._started += 1
        process = Supervised(self._folder, self._started, ("reconcile", "--json"), self.environment, hold)
        self.processes.append(process)
        return process

    def spooled(self) -> bool:
        """Whether a record waits in the spool."""
        return any((self._folder / "home" / "spool").glob("*.jsonl"))

    @contextmanager
    def running(self, source: Path) -> Iterator[None]:
        """Run the ``kubescribe`` of this folder instead, in every process that is started in the block."""
        environment, reconciler = self.environment, self.reconciler
        self.environment = {**environment, "PYTHONPATH": str(source)}
        self.reconciler = Reconciler(self.environment)
        try:
            yield
        finally:
            self.reconciler.close()
            self.environment, self.reconciler = environment, reconciler
            self.tidy()

    def tidy(self) -> None:
        """End what is left of a case that failed, so that the next one begins with a quiet world."""
        for process in self.processes:
            process.close()
        if self.processes:
            self.up()
            self.change("runlog", "UPDATE run SET run_deadline_at = started_at WHERE finished_at IS NULL")
            self.reconciler()
        self.processes.clear()
        self.reader.faults.clear()
        self.reader.moments.clear()
        self.acts.clear()

    def lease_over(self, run_id: UUID) -> None:
        """Wait until the lease of the run's newest attempt is over; needs RunLog, and nobody who beats."""
        query = (
            "SELECT FROM run JOIN attempt ON attempt.id = run.attempt_id WHERE run.id = %s "
            "AND lease_until < clock_timestamp() AND pg_postmaster_start_time() + interval '1 second' < now()"
        )
        self.wait(lambda: bool(self.rows("runlog", query, run_id)), "the lease to be over")

    @staticmethod
    def wait(condition: Callable[[], bool], what: str) -> None:
        wait_for(condition, what, timeout=30, every=0.02)
