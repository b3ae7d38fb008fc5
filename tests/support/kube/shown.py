"""Jobs and schedules for the contract of what a cluster shows."""

from __future__ import annotations

import asyncio
from uuid import UUID

from kubescribe.adapters.kubernetes.cluster_jobs import KubernetesJobs
from kubescribe.adapters.kubernetes.connection import ApiServer
from kubescribe.adapters.kubernetes.schedules import KubernetesSchedules
from kubescribe.adapters.kubernetes.view import ClusterView
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.application.ports.cluster_jobs import SeenJob
from kubescribe.application.ports.schedules import SeenSchedule
from kubescribe.domain.job_names import NO_SCHEDULE, PIPELINE, RUN_ID
from tests.support.waiting import wait_for

from .control_plane import ADMINISTRATOR, ControlPlane
from .namespace import Namespace
from .objects import a_container, a_cron_job, a_job, a_pod_template


class _Jobs(KubernetesJobs):
    """That look anew each time."""

    async def jobs(self) -> tuple[SeenJob, ...]:
        await self._view.refresh(0.0)
        return await super().jobs()


class _Schedules(KubernetesSchedules):
    async def schedules(self) -> tuple[SeenSchedule, ...]:
        await self._view.refresh(0.0)
        return await super().schedules()


class KubernetesWorld:
    """A namespace, and what is shown of it."""

    def __init__(self, loop: asyncio.Runner, plane: ControlPlane, namespace: Namespace) -> None:
        self._loop, self._namespace = loop, namespace
        self._api = ApiServer(str(plane.kubeconfig(ADMINISTRATOR[0], *ADMINISTRATOR[1])))
        view = ClusterView(self._api, lambda: (namespace.name,), "default", SystemClock())
        self.jobs, self.schedules = _Jobs(self._api, view), _Schedules(self._api, view, "default")

    def failed(self, name: str, pipeline: str) -> None:
        template = a_pod_template([a_container("sh", "-c", "echo one; echo two; exit 3")])
        self._namespace.create(a_job(name, template, labels={PIPELINE: pipeline}))
        self._namespace.finished(name)

    def odd(self, name: str) -> None:
        template = a_pod_template([a_container("true")])
        self._namespace.create(a_job(name, template, labels={PIPELINE: "sales", RUN_ID: str(UUID(int=1))[:-1] + "x"}))

    def schedule(self, pipeline: str, *, suspended: bool = False, fires: bool = True) -> None:
        job = a_job(pipeline, a_pod_template([a_container("true")]), labels={PIPELINE: pipeline})
        schedule = "15 5 * * *" if fires else NO_SCHEDULE
        self._namespace.create(a_cron_job(pipeline, job, schedule=schedule, suspend=suspended))

    def forget_schedule(self, pipeline: str) -> None:
        self._namespace.delete("cronjobs", pipeline)
        wait_for(lambda: not self._namespace.exists("cronjobs", pipeline), "the CronJob to go")

    def close(self) -> None:
        self._loop.run(self._api.close())
