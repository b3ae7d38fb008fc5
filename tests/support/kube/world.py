"""KubeScribe on a test's control plane: databases, a node, pipelines whose pods are processes, and the reconciler."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from kubescribe.application.authoring.parameters import accepted_parameters
from kubescribe.application.authoring.registry import Registry
from kubescribe.application.manifests.cron_job import cron_job
from kubescribe.application.manifests.installation import Installation
from kubescribe.application.ports.slots import SlotFilter
from kubescribe.application.trigger_run import TriggerRequest
from kubescribe.domain.attempt import Attempt
from kubescribe.domain.run import Run
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.slot import Slot
from kubescribe.entrypoints.composition.container import Container, container_for
from kubescribe.entrypoints.composition.databases import open_databases
from kubescribe.entrypoints.composition.incidents import incident_pass
from kubescribe.entrypoints.composition.looking_after import Pass, one_pass
from kubescribe.entrypoints.composition.slots import slot_pass
from kubescribe.entrypoints.settings import Settings, load_settings
from tests.support.command_line import ROOT
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

from .namespace import Namespace
from .objects import made_by_hand
from .resources import Json

MODULE = "tests.support.kube.pipelines"


def variables(databases: ThreeDatabases) -> dict[str, str]:
    """What a Secret and a ConfigMap would give the pods: where the databases are, and the code."""
    return {
        "RUNLOG_DB_URL": databases.runlog,
        "PROD_DB_URL": databases.production,
        "REPORT_DB_URL": databases.report,
        "PYTHONPATH": f"{ROOT / '.import'}:{ROOT}",
        "KUBESCRIBE_HEARTBEAT": "1s",
        "KUBESCRIBE_LEASE": "5s",
    }


class ClusterWorld:
    """The API's side, in this process: one container at a time, and a pass whenever somebody waits for something."""

    def __init__(
        self,
        loop: asyncio.Runner,
        namespace: Namespace,
        kubeconfig: Path,
        environ: Mapping[str, str],
        module: str = MODULE,
    ) -> None:
        self.namespace = namespace
        self._loop = loop
        self.environ = {
            **environ,
            "KUBESCRIBE_PIPELINES": module,
            "KUBESCRIBE_LAUNCHER": "kubernetes",
            "KUBESCRIBE_NAMESPACE": namespace.name,
            "KUBESCRIBE_ACTOR": "user:ada",
            "KUBECONFIG": str(kubeconfig),
        }
        self.settings: Settings = load_settings(self.environ, Path("/nonexistent"))
        self.pipelines = Registry.load((module,))
        self.installation = Installation(
            namespace=namespace.name, modules=(module,), secrets=(), image="registry.example/jobs:1"
        )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The container, with its connections, as long as the block."""
        with open_databases(self.settings) as databases:
            made = container_for(self.settings, databases)
            self.container: Container = self._loop.run(made.__aenter__())
            self._slots = slot_pass(self.container, self.pipelines, fires=True)
            self._incidents = incident_pass(self.container, self.pipelines)
            try:
                yield
            finally:
                self._loop.run(made.__aexit__(None, None, None))

    def apply(self, pipeline: str, change: Callable[[Json], None] = lambda manifest: None) -> Json:
        """Put the pipeline's CronJob into the namespace, as `kubescribe manifests` renders it but for ``change``."""
        manifest = copy.deepcopy(cron_job(self.pipelines.get(pipeline).pipeline, self.installation))
        change(manifest)
        return self.namespace.create(manifest)

    def trigger(self, pipeline: str, **parameters: Any) -> Run:
        """As `POST /pipelines/…/runs` does it."""
        declared = self.pipelines.get(pipeline)
        accepted = accepted_parameters(declared, parameters, from_text=False)
        request = TriggerRequest(pipeline=declared.pipeline, parameters=accepted, actor="user:ada")
        return self._loop.run(self.container.trigger_run()(request)).run

    def reconcile(self) -> Pass:
        """One pass."""

        async def reconcile() -> Pass:
            await asyncio.sleep(0.01)  # for a watch to get what has come
            return await one_pass(
                self.container, lambda name: self.pipelines.get(name).pipeline, self._slots, self._incidents
            )

        return self._loop.run(reconcile())

    @contextmanager
    def watched(self, wanted: bool = True) -> Iterator[None]:
        """With a watch, as the API has one, unless it is not wanted."""
        if not wanted:
            yield
            return

        async def begin() -> asyncio.Task[None]:
            return asyncio.create_task(self.container.cluster_view().follow(lambda: None))

        async def end() -> None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

        watching = self._loop.run(begin())
        try:
            yield
        finally:
            self._loop.run(end())

    def cancel(self, run_id: UUID) -> Run:
        """As `POST /runs/…/cancel` does it."""
        return self._loop.run(self.container.cancel_run()(run_id, actor="user:ada"))

    def run(self, run_id: UUID) -> Run:
        """The record."""
        return self._loop.run(self.container.run_log().get(run_id))

    def attempts(self, run_id: UUID) -> tuple[Attempt, ...]:
        """The records of its attempts, by number."""
        found = self._loop.run(self.container.run_history().attempts(run_id))
        return tuple(sorted(found, key=lambda one: one.number))

    def until(self, run_id: UUID, *statuses: RunStatus, timeout: float = 60) -> Run:
        """The run when it has one of these states, with a pass every now and then."""

        def there() -> Run | None:
            self.reconcile()
            run = self.run(run_id)
            return run if run.status in statuses else None

        try:
            return wait_for(there, f"run {run_id} to be {' or '.join(statuses)}", timeout=timeout, every=0.3)
        except AssertionError as late:
            raise AssertionError(f"{late}; it is {self.run(run_id)}") from late

    def ended(self, run_id: UUID, timeout: float = 60) -> Run:
        """The run when it has its verdict."""
        return self.until(run_id, *(status for status in RunStatus if status.terminal), timeout=timeout)

    def job(self, run_id: UUID) -> Json:
        """The Job of a run that somebody asked for."""
        (found,) = self.namespace.listed("jobs", labelSelector=f"kubescribe.io/run-id={run_id}")
        return found

    def running(self, run_id: UUID) -> str:
        """The name of the pod that works on a run, when its attempt has taken it."""

        def taken() -> str | None:
            found = self.attempts(run_id)
            alive = [one for one in found if one.ended_at is None]
            return alive[-1].whereabouts.pod if alive else None

        return wait_for(taken, "an attempt to take the run", timeout=60, every=0.2)

    def running_after(self, run_id: UUID, pod: str) -> str:
        """The name of the next pod that works on a run."""

        def taken() -> str | None:
            self.reconcile()
            alive = [one.whereabouts.pod for one in self.attempts(run_id) if one.ended_at is None]
            return alive[-1] if alive and alive[-1] != pod else None

        return wait_for(taken, "another attempt to take the run", timeout=60, every=0.3)

    def ended_after_adoption(self, run_id: UUID, timeout: float = 60) -> Run:
        """The run of a Job that was not asked for here, when it has its verdict."""
        self.reconcile()
        return self.ended(run_id, timeout)

    def until_adopted(self, run_id: UUID, *statuses: RunStatus) -> Run:
        """The same, when it has one of these states."""
        self.reconcile()
        return self.until(run_id, *statuses)

    def until_pod(self, run_id: UUID) -> str:
        """The name of the run's pod, running or not, waited for."""
        name = self.job(run_id)["metadata"]["name"]
        pods = wait_for(lambda: self.namespace.pods(name), "a pod", timeout=30, every=0.1)
        return str(pods[-1]["metadata"]["name"])

    def waits(self, run_id: UUID, reason: str) -> None:
        """Wait until the run's pod is kept back for this reason, and see a pass leave it at that."""
        name = self.job(run_id)["metadata"]["name"]

        def held(pod: Json) -> bool:
            states = [one.get("state", {}) for one in pod.get("status", {}).get("containerStatuses", [])]
            return any(state.get("waiting", {}).get("reason") == reason for state in states)

        self.namespace.pod(name, held)
        self.reconcile()

    def absent(self, seconds: float) -> None:
        """Nobody has looked after the slots for so long; what was planned ahead is there no more."""
        self._sql("DELETE FROM slot WHERE verdict IS NULL")
        self._sql("UPDATE slot_plan SET planned_until = clock_timestamp() - make_interval(secs => %s)", seconds)
        self._slots = slot_pass(self.container, self.pipelines, fires=True)

    def windows_closed(self) -> None:
        """Let the windows of all slots whose time has come have closed a minute ago."""
        self._sql(
            "UPDATE slot SET window_ends = greatest(at, clock_timestamp() - interval '1 minute') "
            "WHERE verdict IS NULL AND at <= clock_timestamp() - interval '1 second'"
        )

    def slots(self, pipeline: str) -> list[Slot]:
        """Those whose time has come, after as many passes as it takes to decide them."""
        which = SlotFilter(pipeline=pipeline, until=datetime.now(UTC))
        self.reconcile()
        return list(self._loop.run(self.container.slots().find(which, limit=10_000)).slots)

    def past_start_deadline(self, run_id: UUID) -> None:
        """Let the run's start deadline have been a second ago."""
        self._sql("UPDATE run SET start_deadline_at = clock_timestamp() - interval '1 second' WHERE id = %s", run_id)

    def _sql(self, statement: LiteralString, *values: object) -> None:
        with psycopg.connect(self.environ["RUNLOG_DB_URL"], autocommit=True) as connection:
            connection.execute(statement, values)

    def gone(self, run_id: UUID) -> None:
        """Wait until the run has neither Job nor pod."""
        label = f"kubescribe.io/run-id={run_id}"
        wait_for(
            lambda: not any(self.namespace.listed(kind, labelSelector=label) for kind in ("jobs", "pods")),
            "the Job and its pods to go",
            timeout=30,
            every=0.1,
        )

    def reports(self, report: str) -> int:
        """How many versions of a report were published."""
        query = "SELECT count(*) FROM kubescribe.publication WHERE report = %s"
        with psycopg.connect(self.environ["REPORT_DB_URL"]) as connection:
            return int((connection.execute(query, [report]).fetchone() or (0,))[0])

    def events(self, kind: str) -> int:
        """How many events of this kind RunLog has."""
        with psycopg.connect(self.environ["RUNLOG_DB_URL"]) as connection:
            row = connection.execute("SELECT count(*) FROM event WHERE kind = %s", [kind]).fetchone()
            return int((row or (0,))[0])

    def pause(self, pipeline: str) -> None:
        """As `kubescribe pause`."""
        self._loop.run(self.container.pauses().pause(pipeline, actor="user:ada"))

    def resume(self, pipeline: str) -> None:
        """As `kubescribe resume`."""
        declared = self.pipelines.get(pipeline).pipeline
        self._loop.run(self.container.resume_pipeline()(declared, actor="user:ada"))

    def later(self) -> None:
        """So that the next pass looks at the cluster anew, and does not think the last look new enough."""
        self._loop.run(self.container.cluster_view().refresh(0.0))

    def written(self) -> tuple[int, ...]:
        """How many rows of RunLog were ever written: by table, inserts and updates together."""
        tables = ("run", "attempt", "event", "outbox", "log_chunk")
        with psycopg.connect(self.environ["RUNLOG_DB_URL"]) as connection:
            rows = [connection.execute(f"SELECT xmin::text, * FROM {name}").fetchall() for name in tables]
        return tuple(hash(tuple(map(repr, sorted(map(repr, found))))) for found in rows)

    def made_by_hand(self, pipeline: str, name: str) -> Json:
        """The Job of ``kubectl create job NAME --from=cronjob/…``."""
        return made_by_hand(self.namespace.get("cronjobs", pipeline), name)

    def knows(self, run_id: UUID) -> bool:
        """Whether RunLog has such a run."""
        return not self._loop.run(self.container.job_log().unknown({run_id}))
