"""A cluster whose Jobs are what a test says they are."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.cluster_jobs import Quarantined, SeenJob, SeenPod
from ...domain.errors import ClusterUnavailable


class MemoryClusterJobs:
    """The :class:`~kubescribe.application.ports.cluster_jobs.ClusterJobs` in memory."""

    def __init__(self) -> None:
        self.available = True
        self.shown: dict[UUID, SeenJob] = {}
        self.bad: list[Quarantined] = []
        self.logs: dict[UUID, tuple[str, ...]] = {}
        """By the pod's UID."""
        self.events: dict[UUID, tuple[str, ...]] = {}
        """By the UID of the pod or the Job."""
        self.removed: list[UUID] = []

    def show(self, job: SeenJob) -> None:
        """From now on it is there, as it is here."""
        self.shown[job.uid] = job

    async def jobs(self) -> tuple[SeenJob, ...]:
        """See the port."""
        self._check()
        return tuple(self.shown.values())

    async def quarantined(self) -> tuple[Quarantined, ...]:
        """See the port."""
        self._check()
        return tuple(self.bad)

    async def log_tail(self, job: SeenJob, pod: SeenPod) -> tuple[str, ...]:
        """See the port."""
        return self.logs.get(pod.uid, ())

    async def told(self, job: SeenJob, pod: SeenPod | None) -> tuple[str, ...]:
        """See the port."""
        return self.events.get(job.uid if pod is None else pod.uid, ())

    async def remove(self, job: SeenJob) -> None:
        """See the port."""
        self._check()
        if self.shown.pop(job.uid, None) is not None:
            self.removed.append(job.uid)

    def _check(self) -> None:
        if not self.available:
            raise ClusterUnavailable("it was taken away")
