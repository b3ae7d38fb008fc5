"""Runs as Jobs."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable

import msgspec

from ...application.ports.cluster_jobs import Phase, SeenJob
from ...application.ports.launcher import JobState, Sighting
from ...domain import job_names
from ...domain.attempt import Attempt, DeathCertificate
from ...domain.errors import ClusterRefused, ClusterUnavailable, LauncherBusy, LaunchRefused
from ...domain.failure import FailureCause
from ...domain.run import Run
from ...domain.tenant import Tenant
from .cluster_jobs import delete_job
from .connection import LATER, Answer, ApiServer, decoded, path_of
from .events import FailedCreates
from .job_of_run import Json, job_of_run
from .sightings import sighting_of
from .view import ClusterView

TRIES = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_POLICY = re.compile(r"'[a-z0-9.-]*-job-(templates|owners)'")
"""Those of ``deploy/`` that compare a Job with what the cluster holds; each installation begins them otherwise."""
_NO_POD_AFTER, _HOPELESS_AFTER = 3.0, 30.0
"""Seconds without a pod until somebody asks why, and until the answer is taken for good."""


class KubernetesLauncher:
    """The :class:`~kubescribe.application.ports.launcher.Launcher` of a cluster.

    A run's Job is made of its pipeline's CronJob, under a name that only this run can have. Whatever the API server
    answers or does not answer, the name says afterwards whether the Job is there.
    """

    def __init__(
        self,
        api: ApiServer,
        view: ClusterView,
        namespace_of: Callable[[Tenant], str],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``jitter``: a number from 0 to 1, by which each pause is multiplied so that many do not come at once."""
        self._api, self._view, self._namespace_of = api, view, namespace_of
        self._sleep, self._jitter = sleep, jitter
        self._failed_creates = FailedCreates(api, monotonic)

    async def launch(self, run: Run) -> None:
        """Make the run's Job; see the port."""
        namespace = self._namespace_of(run.tenant)
        why, pause = "", _FIRST_PAUSE
        for left in reversed(range(TRIES)):
            after: float | None = None
            try:
                cron_job = await self._cron_job(run, namespace)
                answer = await self._api.call(
                    "POST",
                    path_of("jobs", namespace),
                    {"fieldManager": "kubescribe"},
                    self._body(cron_job, run, namespace),
                )
                if answer.status == 201:
                    self._view.add(answer.body)
                    return
                why, after = answer.why, answer.retry_after
                if await self._is_there(run, namespace):
                    return
                self._judge(run, answer)
            except ClusterUnavailable as away:
                why, after = away.why, away.after
                # What was posted may have arrived; if it is on its way still, the next post has the same name.
                if await self._is_there_after_all(run, namespace):
                    return
            except ClusterRefused as refused:
                raise LaunchRefused(run.id, str(refused)) from refused
            if after is not None and after > _LONGEST_PAUSE:
                break  # so long nobody waits here: others wait for this pass, and there will be a next one
            if left:
                await self._sleep(max(after or 0.0, pause * self._jitter()))
                pause = min(2 * pause, _LONGEST_PAUSE)
        raise LauncherBusy(run.id, f"the cluster does not take its Job yet: {why}")

    async def _cron_job(self, run: Run, namespace: str) -> Json:
        name = job_names.cron_job_name(run.pipeline)
        body = await self._api.read(path_of("cronjobs", namespace, name))
        found: Json | None = None if body is None else decoded(body, dict, "CronJob")
        if found is not None and (found["metadata"].get("labels") or {}).get(job_names.PIPELINE) == run.pipeline:
            return found
        label = f"{job_names.PIPELINE}={run.pipeline}"
        listed = await self._api.read(path_of("cronjobs", namespace), {"labelSelector": label, "limit": 2})
        items: list[Json] = [] if listed is None else decoded(listed, dict, "list of CronJobs").get("items") or []
        if len(items) == 1:
            return items[0]
        what = "two CronJobs or more have" if items else "no CronJob has"
        remedy = "leave it to one" if items else "apply what `kubescribe manifests` renders"
        raise LaunchRefused(run.id, f"{what} the label {label} in namespace {namespace}; {remedy}")

    def _body(self, cron_job: Json, run: Run, namespace: str) -> Json:
        try:
            return job_of_run(cron_job, run, namespace)
        except (KeyError, TypeError, ValueError) as error:
            name = cron_job["metadata"].get("name")
            raise LaunchRefused(run.id, f"CronJob {name} has no template to make a Job of: {error!r}") from error

    def _judge(self, run: Run, answer: Answer) -> None:
        """Raise where the answer is final, or asks for patience; return where it may be asked again at once."""
        if answer.status in LATER:
            return
        if answer.status == 403 and "exceeded quota" in answer.why:
            raise LauncherBusy(run.id, f"a quota of its namespace is used up: {answer.why}")
        if _POLICY.search(answer.why):
            # The policies hear of a CronJob, and of the list of them, a moment later than we do; nobody can know
            # whether this is such a moment, or a Job that will never be allowed.
            why = f"an admission policy refuses its Job, or has not heard of its CronJob as it is now: {answer.why}"
            raise LauncherBusy(run.id, why, in_doubt=True)
        if answer.status == 409:
            return  # one that is being deleted, or was there and is gone
        raise LaunchRefused(run.id, f"the cluster does not take its Job ({answer.status}): {answer.why}")

    async def _is_there(self, run: Run, namespace: str) -> bool:
        """Whether the name is this run's Job; raises :class:`LaunchRefused` where it is another's."""
        name = job_names.job_name(run.pipeline, run.id)
        body = await self._api.read(path_of("jobs", namespace, name))
        if body is None:
            return False
        labels = decoded(body, dict, "Job").get("metadata", {}).get("labels") or {}
        if labels.get(job_names.RUN_ID) != str(run.id):
            raise LaunchRefused(
                run.id, f"Job {name} is there in namespace {namespace}, and is not this run's; remove it"
            )
        self._view.add(body)
        return True

    async def _is_there_after_all(self, run: Run, namespace: str) -> bool:
        try:
            return await self._is_there(run, namespace)
        except ClusterUnavailable:
            return False

    async def look(self, run: Run, attempt: Attempt | None) -> Sighting:
        """By the Job's UID, in a list that misses nothing; see the port."""
        try:
            await self._view.refresh()
        except (ClusterUnavailable, ClusterRefused) as away:
            return Sighting(state=JobState.UNKNOWN, detail=str(away))
        job = self._view.of_run(run.id)
        if job is not None and job.phase is Phase.ACTIVE and not job.pods and not job.deleting:
            job = await self._without_pods(job)
        gone = None if job is not None else self._view.gone_of_run(run.id)
        left = () if gone is None else self._view.left_of(gone.job.uid)
        return sighting_of(job, gone, run, attempt, left)

    async def _without_pods(self, job: SeenJob) -> SeenJob:
        """Why the Job has no pod."""
        waited = self._view.waited(job.uid, "no pod")
        if waited < _NO_POD_AFTER:
            return job
        try:
            said = await self._failed_creates.of(job.namespace, str(job.uid))
        except (ClusterUnavailable, ClusterRefused):
            return job
        if not said:
            return job
        refused = said[-1]
        limited = "quota" in refused or "limit range" in refused.lower() or "per Container" in refused
        certificate = DeathCertificate(
            cause=FailureCause.QUOTA_EXCEEDED if limited else FailureCause.CONFIG_ERROR,
            reason="FailedCreate",
            message=f"its Job can make no pod: {refused}",
            events=tuple(said),
        )
        return msgspec.structs.replace(job, certificate=certificate, hopeless=waited >= _HOPELESS_AFTER)

    async def stop(self, run: Run, attempt: Attempt | None) -> None:
        """Delete the Job: its pods are told to end, and have their grace period."""
        await self._delete(run)

    async def clean(self, run: Run, attempt: Attempt | None) -> None:
        """Delete a Job that is not over: nothing more may come of it. One that is over is kept for a while."""
        await self._delete(run)

    async def _delete(self, run: Run) -> None:
        await self._view.refresh()
        job = self._view.of_run(run.id)
        if job is not None and job.phase is Phase.ACTIVE and not job.deleting:
            await delete_job(self._api, job)


def namespace_of(tenant: Tenant, ours: Tenant, namespace: str) -> str:
    """Where a tenant's Jobs are: ours where the settings say so, another's in the namespace that is called like it."""
    return namespace if tenant == ours else tenant
