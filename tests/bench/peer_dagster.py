"""Dagster with a history of its own: two runs that it recorded itself, multiplied by SQL; its web server and daemon."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import psycopg

from tests.support.clusters import Cluster
from tests.support.waiting import wait_for

from .clients import Asked, Client, request
from .measuring import free_port
from .peers import ROOT, VENV

_JOBS = Path(__file__).with_name("dagster_jobs.py")
_HOME = """
storage:
  postgres:
    postgres_url: {url}
telemetry:
  enabled: false
"""

_BASE = """
CREATE UNLOGGED TABLE base AS
SELECT n, now() - ({runs} - n) * interval '30 seconds' - interval '1 hour' AS at, gen_random_uuid()::text AS id,
       'orders_' || lpad((n::bigint * 7919 % {jobs})::text, 2, '0') AS job,
       CASE WHEN get_byte(decode(md5(n::text), 'hex'), 4) % 100 < 8 THEN 'FAILURE' ELSE 'SUCCESS' END AS status
FROM generate_series(1, {runs}) AS n
"""
_RUNS = """
INSERT INTO runs (run_id, snapshot_id, pipeline_name, mode, status, run_body, partition, partition_set,
                  create_timestamp, update_timestamp, start_time, end_time, backfill_id)
SELECT base.id, one.snapshot_id, base.job, one.mode, base.status,
       replace(replace(one.run_body, one.run_id, base.id), '"orders_of_a_day"', '"' || base.job || '"'),
       one.partition, one.partition_set, base.at, base.at + interval '5 seconds',
       extract(epoch FROM base.at), extract(epoch FROM base.at) + 5, one.backfill_id
FROM base JOIN template_runs AS one USING (status) ORDER BY base.n
"""
_TAGS = """
INSERT INTO run_tags (run_id, key, value)
SELECT base.id, one.key, one.value FROM base JOIN template_run_tags AS one USING (status) ORDER BY base.n
"""
_EVENTS = """
INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
SELECT base.id, replace(replace(one.event, one.run_id, base.id), '"orders_of_a_day"', '"' || base.job || '"'),
       one.dagster_event_type, base.at + (one.timestamp - one.began), one.step_key, one.asset_key, one.partition
FROM base JOIN template_event_logs AS one USING (status) ORDER BY base.n, one.id
"""
_TEMPLATES = """
CREATE TABLE template_runs AS SELECT * FROM runs;
CREATE TABLE template_run_tags AS SELECT mine.*, runs.status FROM run_tags AS mine JOIN runs USING (run_id);
CREATE TABLE template_event_logs AS
SELECT mine.*, runs.status, min(mine.timestamp) OVER (PARTITION BY mine.run_id) AS began
FROM event_logs AS mine JOIN runs USING (run_id);
TRUNCATE runs, run_tags, event_logs
"""
_SHOWN = "runId jobName status startTime endTime creationTime updateTime tags { key value }"
_LIST = "query($filter: RunsFilter) { runsOrError(limit: 50, filter: $filter) { ... on Runs { results { %s } } } }"
_ONE = """
query($id: ID!) { runOrError(runId: $id) { ... on Run { %s runConfigYaml
  eventConnection { events { __typename ... on MessageEvent { message timestamp level stepKey eventType } } } } } }
"""


class Dagster:
    """``with Dagster(cluster, folder, runs=100_000, jobs=50) as dagster: dagster.questions()``."""

    def __init__(self, cluster: Cluster, folder: Path, *, runs: int, jobs: int) -> None:
        self._url = cluster.create_database("dagster")
        self._folder = folder
        self.runs, self._jobs = runs, jobs
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Dagster:
        home = self._folder / "dagster"
        home.mkdir()
        url = self._url.replace("postgresql:", "postgresql+psycopg2:")
        (home / "dagster.yaml").write_text(_HOME.format(url=url))
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "USER") if name in os.environ}
        self._environment = {**kept, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
        program = [str(VENV / "bin" / "python"), str(_JOBS)]
        made = subprocess.run(program, env=self._environment, cwd=ROOT, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr[-4000:]
        began = time.monotonic()
        self._fill()
        self.seconds = time.monotonic() - began
        self.port = free_port()
        try:
            self._start("dagster-webserver", "-h", "127.0.0.1", "-p", str(self.port), "-f", str(_JOBS))
            self._start("dagster-daemon", "run", "-f", str(_JOBS))
            wait_for(self._answers, "Dagster to answer", timeout=120, every=0.5)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pids(self) -> list[int]:
        """Of the web server and the daemon; each has processes of its own below it."""
        return [process.pid for process in self._processes]

    def questions(self) -> dict[str, Iterator[Asked]]:
        """The same as ours, in its own words (GraphQL)."""
        jobs = cycle([f"orders_{number:02}" for number in range(self._jobs)])
        ids = cycle(self._ids())
        latest = self._asked(_LIST % _SHOWN, {})
        return {
            "latest": cycle([latest]),
            "failed": (
                self._asked(_LIST % _SHOWN, {"filter": {"pipelineName": job, "statuses": ["FAILURE"]}}) for job in jobs
            ),
            "one": (self._asked(_ONE % _SHOWN, {"id": run}) for run in ids),
        }

    def check(self) -> None:
        """Its answers are what was asked for."""
        with Client(self.port) as client:
            answers = {name: msgspec.json.decode(client.ask(next(asked))) for name, asked in self.questions().items()}
        latest, failed, one = (answers[name]["data"] for name in ("latest", "failed", "one"))
        assert len(latest["runsOrError"]["results"]) == 50, latest
        assert {run["status"] for run in failed["runsOrError"]["results"]} == {"FAILURE"}, failed
        assert len(failed["runsOrError"]["results"]) == 50
        assert len(one["runOrError"]["eventConnection"]["events"]) > 8, one

    def _asked(self, query: str, variables: dict[str, Any]) -> Asked:
        return Asked(request("POST", "/graphql", msgspec.json.encode({"query": query, "variables": variables})))

    def _ids(self) -> list[str]:
        with psycopg.connect(self._url) as connection:
            return [row[0] for row in connection.execute("SELECT run_id FROM runs ORDER BY md5(run_id) LIMIT 2000")]

    def _fill(self) -> None:
        with psycopg.connect(self._url) as connection:
            connection.execute(_TEMPLATES)
            connection.execute(_BASE.format(runs=self.runs, jobs=self._jobs).encode())
            for statement in (_RUNS, _TAGS, _EVENTS):
                connection.execute(statement)
            connection.execute("DROP TABLE base, template_runs, template_run_tags, template_event_logs")
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("VACUUM (FREEZE, ANALYZE)")
            connection.execute("CHECKPOINT")

    def _start(self, program: str, *arguments: str) -> None:
        with (self._folder / f"{program}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(VENV / "bin" / program), *arguments],
                env=self._environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)

    def _answers(self) -> bool:
        assert all(process.poll() is None for process in self._processes), "Dagster has ended"
        try:
            self.check()
        except OSError:
            return False
        return True

    def _end(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
