"""Delete the Jobs whose record is complete, but for the newest few."""

from __future__ import annotations

from collections import defaultdict

from .ports.cluster_jobs import ClusterJobs, Phase, SeenJob
from .ports.job_log import JobLog


class ClearJobs:
    """One look. A Job goes when it has ended and its run has a verdict: until then it is evidence.

    Of each pipeline the newest Jobs that ended well, and the newest that did not, stay for people to look at.
    """

    def __init__(self, *, jobs: ClusterJobs, job_log: JobLog, keep: int) -> None:
        """``keep``: how many of each kind."""
        self._jobs, self._job_log, self._keep = jobs, job_log, keep

    async def __call__(self) -> int:
        """How many were deleted; raises :class:`DatabaseUnavailable`, :class:`ClusterUnavailable`."""
        kinds: dict[tuple[str, str, Phase], list[SeenJob]] = defaultdict(list)
        for job in await self._jobs.jobs():
            if job.phase is not Phase.ACTIVE and not job.deleting:
                kinds[job.tenant, job.pipeline, job.phase].append(job)
        old: list[SeenJob] = []
        for some in kinds.values():
            some.sort(key=lambda job: (job.created_at, job.name), reverse=True)
            old += some[self._keep :]
        settled = await self._job_log.settled({job.run_id for job in old})
        gone = [job for job in old if job.run_id in settled]
        for job in gone:
            await self._jobs.remove(job)
        return len(gone)
