"""The cluster's Jobs, as the reconciler sees them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from ...application.ports.cluster_jobs import Quarantined, SeenJob, SeenPod
from ...domain.errors import ClusterRefused, ClusterUnavailable
from ...domain.storable import storable_text
from .connection import ApiServer, checked, path_of
from .objects import Event
from .view import ClusterView

LOG_LINES, LOG_BYTES = 50, 64 * 1024
_EVENTS = 20
_NEW_ENOUGH = 1.0
"""Seconds: passes that are nearer to each other than this share a look, unless a watch keeps it current anyway."""
_LONGEST_LINE = 500


class _Events(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...] | None = None


class KubernetesJobs:
    """:class:`~kubescribe.application.ports.cluster_jobs.ClusterJobs` over a view."""

    def __init__(self, api: ApiServer, view: ClusterView) -> None:
        self._api, self._view = api, view

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
        lines = answer.body.decode(errors="replace").splitlines()
        return tuple(storable_text(line, _LONGEST_LINE) for line in lines[-LOG_LINES:])

    async def told(self, job: SeenJob, pod: SeenPod | None) -> tuple[str, ...]:
        """See the port."""
        uid = job.uid if pod is None else pod.uid
        try:
            return tuple(one for one, _ in await events_of(self._api, job.namespace, str(uid)))
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


class Told(NamedTuple):
    """One event of an object."""

    at: datetime
    """When it was said last."""
    since: datetime
    words: str
    """For people."""
    reason: str


async def events_of(api: ApiServer, namespace: str, uid: str) -> list[tuple[str, str]]:
    """What the cluster has said of an object, oldest first: for people, and the reason by itself."""
    return [(one.words, one.reason) for one in await told_of(api, namespace, uid)]


async def told_of(api: ApiServer, namespace: str, uid: str) -> list[Told]:
    """The same, with when it was said."""
    query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": 200}
    body = await api.read(path_of("events", namespace), query)
    found: list[Told] = []
    for item in msgspec.json.decode(body or b"{}", type=_Events).items or ():
        try:
            event = msgspec.json.decode(item, type=Event)
        except (msgspec.MsgspecError, ValueError):
            continue  # one that cannot be read is no evidence
        at = event.last_timestamp or event.event_time or datetime.min.replace(tzinfo=UTC)
        times = f" ({event.count} times)" if (event.count or 1) > 1 else ""
        words = storable_text(f"{event.reason}: {event.message}{times}", 1000)
        found.append(Told(at, event.first_timestamp or at, words, event.reason or ""))
    found.sort(key=lambda one: one.at)
    return found[-_EVENTS:]
