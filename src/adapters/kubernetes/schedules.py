"""The pipelines' CronJobs."""

from __future__ import annotations

from ...application.ports.schedules import SeenSchedule, ToldOfSchedule
from ...domain import job_names
from ...domain.errors import ClusterRefused, ClusterUnavailable
from ...domain.tenant import Tenant
from .connection import ApiServer, checked, path_of
from .events import told_of
from .view import ClusterView

_NEW_ENOUGH = 1.0
_MERGE = "application/merge-patch+json"


class KubernetesSchedules:
    """:class:`~kubescribe.application.ports.schedules.Schedules` over a view."""

    def __init__(self, api: ApiServer, view: ClusterView, tenant: Tenant) -> None:
        """``tenant``: of CronJobs that name none."""
        self._api, self._view, self._tenant = api, view, tenant

    async def schedules(self) -> tuple[SeenSchedule, ...]:
        """See the port."""
        await self._view.refresh(_NEW_ENOUGH)
        found = []
        for cron_job in self._view.cron_jobs():
            labels, annotations = cron_job.metadata.labels or {}, cron_job.metadata.annotations or {}
            found.append(
                SeenSchedule(
                    namespace=cron_job.metadata.namespace,
                    name=cron_job.metadata.name,
                    tenant=labels.get(job_names.TENANT) or self._tenant,
                    pipeline=labels[job_names.PIPELINE],
                    suspended=bool(cron_job.spec.suspend),
                    ours=job_names.PAUSED in annotations,
                    fires=cron_job.spec.schedule != job_names.NO_SCHEDULE,
                    uid=str(cron_job.metadata.uid),
                    schedule=cron_job.spec.schedule,
                    timezone=cron_job.spec.time_zone or "UTC",
                    created_at=cron_job.metadata.creation_timestamp,
                    last_fired_at=cron_job.status.last_schedule_time,
                    starting_deadline=cron_job.spec.starting_deadline_seconds,
                    forbids=cron_job.spec.concurrency_policy == "Forbid",
                )
            )
        return tuple(found)

    async def told(self, schedule: SeenSchedule) -> tuple[ToldOfSchedule, ...]:
        """See the port."""
        try:
            found = await told_of(self._api, schedule.namespace, schedule.uid)
        except (ClusterUnavailable, ClusterRefused):
            return ()
        return tuple(ToldOfSchedule(since=one.since, at=one.at, reason=one.reason, message=one.words) for one in found)

    async def hold(self, schedule: SeenSchedule) -> None:
        """See the port."""
        await self._patch(schedule, suspend=True, mark="true")

    async def release(self, schedule: SeenSchedule) -> None:
        """See the port."""
        await self._patch(schedule, suspend=False, mark=None)

    async def _patch(self, schedule: SeenSchedule, *, suspend: bool, mark: str | None) -> None:
        # These two fields and no other: an admission policy lets nothing else of a CronJob be changed from here.
        change = {"metadata": {"annotations": {job_names.PAUSED: mark}}, "spec": {"suspend": suspend}}
        path = path_of("cronjobs", schedule.namespace, schedule.name)
        answer = await self._api.call("PATCH", path, {"fieldManager": "kubescribe"}, change, content_type=_MERGE)
        if answer.status != 404:
            checked(answer, f"suspend or resume CronJob {schedule.name}")
            self._view.add_cron_job(answer.body)
