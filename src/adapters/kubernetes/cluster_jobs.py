"""The cluster's Jobs, as the reconciler sees them."""

from __future__ import annotations

from ...application.foreign_text import ForeignText
from ...application.ports.cluster_jobs import Quarantined, SeenJob, SeenPod
from ...domain.errors import ClusterRefused, ClusterUnavailable
from ...domain.storable import storable_text
from .connection import ApiServer, checked, path_of
from .events import events_of
from .view import ClusterView

LOG_LINES, LOG_BYTES = 50, 64 * 1024
_NEW_ENOUGH = 1.0
"""Seconds: passes that are nearer to each other than this share a look, unless a watch keeps it current anyway."""
_LONGEST_LINE = 500


class KubernetesJobs:
    """:class:`~kubescribe.application.ports.cluster_jobs.ClusterJobs` over a view."""

    def __init__(self, api: ApiServer, view: ClusterView, hide: ForeignText | None = None) -> None:
        """``hide``: what nobody is to read of what programs print that are only observed; None: see the view."""
        self._api, self._view, self._hide = api, view, hide or ForeignText()

    async def jobs(self) -> tuple[SeenJob, ...]:
        """See the port."""
        await self._view.refresh(_NEW_ENOUGH)
        return self._view.jobs()

    async def quarantined(self) -> tuple[Quarantined, ...]:
        """See the port."""
        return self._view.quarantined()

    async def log_tail(self, job: SeenJob, pod: SeenPod) -> tuple[str, ...]:
        """See the port."""
        path = path_of("pods", job.namespace, pod.name, "log")
        try:
            answer = await self._api.call("GET", path, {"tailLines": LOG_LINES, "limitBytes": LOG_BYTES})
        except ClusterUnavailable:
            return ()
        if answer.status != 200:
            return ()
        # Before they are cut: half a secret looks like none.
        lines = self._hide.lines(answer.body.decode(errors="replace").splitlines())
        return tuple(storable_text(line, _LONGEST_LINE) for line in lines[-LOG_LINES:])

    async def told(self, job: SeenJob, pod: SeenPod | None) -> tuple[str, ...]:
        """See the port."""
        uid = job.uid if pod is None else pod.uid
        try:
            return tuple(self._hide.text(one) for one in await events_of(self._api, job.namespace, str(uid)))
        except (ClusterUnavailable, ClusterRefused):
            return ()

    async def remove(self, job: SeenJob) -> None:
        """See the port."""
        await delete_job(self._api, job)


async def delete_job(api: ApiServer, job: SeenJob) -> None:
    """In the foreground: the Job is there until its pods have ended. Raises as the API server does."""
    body = {"propagationPolicy": "Foreground", "preconditions": {"uid": str(job.uid)}}
    answer = await api.call("DELETE", path_of("jobs", job.namespace, job.name), body=body)
    if answer.status not in (404, 409):  # gone, or another one of this name
        checked(answer, f"delete Job {job.name}")
