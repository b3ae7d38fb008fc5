"""The scenarios on Kubernetes: the API's own account makes the Jobs, and a node runs our runner."""

from __future__ import annotations

import asyncio
import copy
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import psycopg

from kubescribe.application.ports.run_log import RunFilter, RunPage
from kubescribe.domain.job_names import JOB_UID, PIPELINE, RUN_ID, cron_job_name
from kubescribe.domain.run import Run
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_record import RunRecord
from kubescribe.entrypoints.composition.container import Container, container_for
from kubescribe.entrypoints.composition.databases import open_databases
from kubescribe.entrypoints.settings import load_settings
from tests.support.api_process import ApiProcess
from tests.support.kube.namespace import condition
from tests.support.kube.objects import a_container, a_cron_job, a_job, a_pod_template, fired, made_by_hand
from tests.support.kube.resources import Json
from tests.support.waiting import wait_for

from .api_door import ThroughApi
from .cluster_stage import ClusterStage
from .postgres_world import PostgresWorld
from .world import Ended, Record

T = TypeVar("T")
_PATIENCE = 90.0


class ClusterWorld(ThroughApi, PostgresWorld):
    """What can be asked is asked over HTTP; the rest is done as who administers the cluster, or seen in RunLog."""

    def __init__(self, stage: ClusterStage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        self.databases, self.command = stage.databases, stage.command
        self._namespace = stage.namespace
        self._settings = load_settings(stage.command.environment, folder)

    @property
    def client(self) -> ApiProcess:
        return self._stage.api

    # -- acting --------------------------------------------------------------------------------------------------

    def run(
        self,
        pipeline: str,
        parameters: dict[str, str],
        *,
        retries: int | None = None,
        run_id: UUID | None = None,
        rehearse: bool = False,
        slot: str | None = None,
    ) -> Ended:
        """Its exit code is that of its last pod's container."""
        if run_id is not None:
            return self._started_again(run_id)
        if slot is not None:
            return self.fires(pipeline, datetime.fromisoformat(slot))
        if retries is not None:
            self._stage.change(cron_job_name(pipeline), lambda cron_job: _with_retries(cron_job, retries))
        asked = self._trigger(pipeline, parameters, None, RunMode.REHEARSE if rehearse else RunMode.PUBLISH)
        return asked if asked.run_id is None else self._ended(asked.run_id, f"{RUN_ID}={asked.run_id}")

    def fires(self, pipeline: str, slot: datetime) -> Ended:
        """The cron controller makes the slot's Job, and nobody is asked."""
        return self._made(fired(self._stage.cron_job(cron_job_name(pipeline)), slot))

    def run_by_hand(self, pipeline: str) -> Ended:
        """``kubectl create job --from=cronjob/…``."""
        cron_job = self._stage.cron_job(cron_job_name(pipeline))
        return self._made(made_by_hand(cron_job, f"{cron_job_name(pipeline)}-by-hand"))

    def wrap(self, command: list[str]) -> Ended:
        """A CronJob of one's own, whose container runs the command under our supervisor."""
        name = Path(command[0]).stem
        cron_job = copy.deepcopy(self._stage.cron_job("counting"))
        metadata = {"name": name, "labels": {PIPELINE: name}}
        own = {**cron_job, "metadata": metadata}
        for labelled in (own["spec"]["jobTemplate"], _job(own)["template"]):
            labelled["metadata"]["labels"][PIPELINE] = name
        _container(own)["args"] = ["exec", "--name", name, "--", *command]
        return self._made(made_by_hand(self._namespace.create(own), f"{name}-by-hand"))

    def run_and_kill(self, pipeline: str, *, after_publishing: bool) -> UUID:
        step = "attempt.published" if after_publishing else "worker.read"
        armed = {"name": "KUBESCRIBE_FAILPOINT", "value": f"{step}=hold:/tmp/held"}
        self._stage.change(cron_job_name(pipeline), lambda job: _container(job)["env"].append(armed))
        run_id = self.trigger(pipeline, {}).run_id
        pod = self._pod(f"{RUN_ID}={run_id}", lambda pod: condition(pod, "Ready") == "True")
        folder = self._stage.plane.folder / "pods" / self._stage.node.name
        wait_for(lambda: any(folder.rglob("held")), f"the run to come to {step}", timeout=_PATIENCE, every=0.05)
        self._stage.node.pod(self._namespace.name, pod["metadata"]["name"]).send(signal.SIGKILL)
        assert run_id is not None
        return run_id

    # -- as who administers the cluster, or as its node ---------------------------------------------------------

    def remove_cron_job(self, pipeline: str) -> None:
        """Until the end of the scenario."""
        self._stage.remove(cron_job_name(pipeline))

    def make_foreign_cron_job(self, pipeline: str, script: str) -> None:
        """One that has our label and nothing else of ours."""
        cron_job = a_cron_job(pipeline, a_job(pipeline, a_pod_template([a_container("sh", "-c", script)])))
        cron_job["metadata"]["labels"] = {PIPELINE: pipeline}
        self._namespace.create(cron_job)

    def run_out_of_memory(self, run_id: UUID) -> None:
        """The kernel kills its container."""
        self._stage.node.pod(self._namespace.name, self._pod_name(run_id)).run_out_of_memory()

    def evict(self, run_id: UUID) -> None:
        """As a drain does it."""
        self._namespace.evict(self._pod_name(run_id))

    def delete_job(self, run_id: UUID) -> None:
        """``kubectl delete job``."""
        (job,) = self._namespace.listed("jobs", labelSelector=f"{RUN_ID}={run_id}")
        self._namespace.delete("jobs", job["metadata"]["name"])

    def until_suspended(self, pipeline: str, suspended: bool) -> None:
        """Wait until the CronJob is, or is no more."""
        wait_for(
            lambda: self._stage.cron_job(cron_job_name(pipeline))["spec"].get("suspend", False) is suspended,
            f"the CronJob of {pipeline} to be {'' if suspended else 'not '}suspended",
            timeout=_PATIENCE,
            every=0.1,
        )

    def until_at_work(self, run_id: UUID, attempt: int = 1) -> None:
        """Wait until the payload of this attempt works."""
        query = (
            "SELECT 1 FROM note JOIN attempt ON attempt.id = note.attempt_id"
            " WHERE run_id = %s AND kind = 'progress' AND number = %s"
        )
        with psycopg.connect(self.databases.runlog, autocommit=True) as connection:
            wait_for(
                lambda: connection.execute(query, (run_id, attempt)).fetchone(),
                f"the progress of attempt {attempt}",
                timeout=_PATIENCE,
                every=0.05,
            )

    def look_after_runs(self) -> None:
        """The API does it by itself."""
        for run in self.runs():
            self.until_ended(run.id)

    def at_work(self, run_id: UUID) -> bool:
        pods = self._namespace.listed("pods", labelSelector=f"{RUN_ID}={run_id}")
        return bool(pods) or any(attempt.ended_at is None for attempt in self.record(run_id).attempts)

    # -- looking -------------------------------------------------------------------------------------------------

    def runs(self) -> tuple[Run, ...]:
        async def found(container: Container) -> tuple[Run, ...]:
            page: RunPage = await container.run_log().find(RunFilter())
            return page.runs

        return self._in_runlog(found)

    def record(self, run_id: UUID) -> Record:
        async def found(container: Container) -> Record:
            known: RunRecord = await container.run_history().record(run_id)
            return Record(run=known.run, attempts=known.attempts, notes=known.notes, events=known.events)

        return self._in_runlog(found)

    def seal(self) -> None:
        query = "SELECT NOT EXISTS (SELECT FROM event WHERE position IS NULL)"
        with psycopg.connect(self.databases.runlog, autocommit=True) as connection:
            wait_for(lambda: connection.execute(query).fetchone() == (True,), "the API to seal all events", every=0.1)

    # -- inside --------------------------------------------------------------------------------------------------

    def _in_runlog(self, look: Callable[[Container], Awaitable[T]]) -> T:
        async def looked() -> T:
            async with container_for(self._settings, databases) as container:
                return await look(container)

        with open_databases(self._settings) as databases:
            return asyncio.run(looked())

    def _made(self, job: Json) -> Ended:
        """Make a Job as who administers the cluster; its UID is the run."""
        made = self._namespace.create(job)
        run_id = UUID(made["metadata"]["uid"])
        return self._ended(run_id, f"{JOB_UID}={run_id}")

    def _ended(self, run_id: UUID, label: str) -> Ended:
        self.until_ended(run_id)
        return Ended(self._exit_code(label), "", run_id)

    def _started_again(self, run_id: UUID) -> Ended:
        """Somebody makes a second Job of the run, which cannot know of the first."""
        (job,) = self._namespace.listed("jobs", labelSelector=f"{RUN_ID}={run_id}")
        spec = copy.deepcopy(job["spec"])
        del spec["selector"]
        spec["template"]["metadata"]["labels"] = {
            name: value
            for name, value in spec["template"]["metadata"]["labels"].items()
            if name.rpartition("/")[2] not in ("controller-uid", "job-name")
        }
        labels = {RUN_ID: str(run_id), PIPELINE: job["metadata"]["labels"][PIPELINE]}
        metadata = {"name": f"{job['metadata']['name'][:20]}-again", "labels": labels}
        made = self._namespace.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})
        return Ended(self._exit_code(f"{JOB_UID}={made['metadata']['uid']}"), "", run_id)

    def _pod_name(self, run_id: UUID) -> str:
        name: str = self._pod(f"{RUN_ID}={run_id}", lambda pod: True)["metadata"]["name"]
        return name

    def _exit_code(self, label: str) -> int:
        """Of the newest pod with the label, waited for."""

        def ended(pod: Json) -> bool:
            return pod["status"].get("phase") in ("Succeeded", "Failed")

        statuses: list[Json] = self._pod(label, ended)["status"]["containerStatuses"]
        return int(statuses[0]["state"]["terminated"]["exitCode"])

    def _pod(self, label: str, where: Callable[[Json], bool]) -> Json:
        def found() -> Json | None:
            pods = self._namespace.listed("pods", labelSelector=label)
            newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)
            return newest if newest is not None and where(newest) else None

        return wait_for(found, f"a pod with {label}", timeout=_PATIENCE, every=0.05)


def _with_retries(cron_job: Json, retries: int) -> None:
    """As a declaration with so many renders it, but for the pipeline's own, which the supervisor is told."""
    _job(cron_job)["backoffLimit"] = retries
    _container(cron_job)["args"] += ["--retries", str(retries)]


def _job(cron_job: Json) -> Json:
    spec: Json = cron_job["spec"]["jobTemplate"]["spec"]
    return spec


def _container(cron_job: Json) -> Json:
    container: Json = _job(cron_job)["template"]["spec"]["containers"][0]
    return container
