"""Complete RunLog from what the cluster shows: runs that it has not heard of, attempts that could not say their end."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ..domain.actor import CLUSTER, RECONCILER, SCHEDULE
from ..domain.attempt import Attempt, DeathCertificate, Whereabouts
from ..domain.errors import DatabaseUnavailable, KubescribeError, RunClosed
from ..domain.event import Event
from ..domain.failure import SENDERS, FailureCause
from ..domain.outcome import Outcome
from ..domain.pipeline import DEFAULT_RUN_DEADLINE
from ..domain.run import Run, Trigger
from ..domain.run_status import RunStatus
from ..domain.storable import LONGEST
from .ports.attempt_log import AttemptLog, Claim
from .ports.cluster_jobs import ClusterJobs, Phase, Quarantined, SeenJob, SeenPod
from .ports.job_log import JobLog
from .ports.run_log import RunLog

_MARGIN = 60.0
"""Seconds beyond a Job's own deadline until the run's: Kubernetes ends it first, and says so."""


class ObserveJobs:
    """One look at all Jobs of pipelines. Right with any number at once; whatever it wrote before changes nothing.

    A Job that nobody triggered here becomes a run with the Job's UID. Of a Job with a supervisor of ours only those
    pods are written down that ended without a word; one without is followed from outside, and its end is the Job's.
    """

    def __init__(
        self,
        *,
        jobs: ClusterJobs,
        job_log: JobLog,
        run_log: RunLog,
        attempt_log: AttemptLog,
        start_deadline: float = 300.0,
    ) -> None:
        """``start_deadline``: seconds that a Job's first attempt may take to begin."""
        self._jobs = jobs
        self._job_log = job_log
        self._run_log = run_log
        self._attempt_log = attempt_log
        self._start_deadline = start_deadline
        self._known: set[UUID] = set()
        self._done: set[UUID] = set()
        self._begun: set[UUID] = set()
        self._told: set[str] = set()

    async def __call__(self) -> tuple[str, ...]:
        """Look once; a sentence for each Job that could not be taken on.

        Raises :class:`DatabaseUnavailable`, :class:`ClusterUnavailable` and :class:`ClusterRefused`: then the next pass
        goes on where this one stopped.
        """
        jobs = await self._jobs.jobs()
        problems: list[str] = []
        self._forget(jobs)
        unknown = await self._job_log.unknown({job.run_id for job in jobs} - self._known)
        over = {pod.uid for job in jobs for pod in job.pods if pod.over} - self._done
        unfinished = await self._job_log.unfinished(over)
        self._done |= over - unfinished
        for job in jobs:
            try:
                if job.run_id in unknown:
                    await self._adopt(job)
                self._known.add(job.run_id)
                await self._follow(job)
            except DatabaseUnavailable:
                raise
            except KubescribeError as error:
                problems.append(f"Job {job.namespace}/{job.name}: {error}")
            except Exception as error:  # a defect at one Job: the others go on
                problems.append(f"Job {job.namespace}/{job.name}: {type(error).__name__}: {error}")
        for bad in await self._jobs.quarantined():
            await self._tell(bad)
            problems.append(f"{bad.kind} {bad.name} cannot be read, and is passed over: {bad.why}")
        return tuple(problems)

    def _forget(self, jobs: tuple[SeenJob, ...]) -> None:
        pods = {pod.uid for job in jobs for pod in job.pods}
        self._known &= {job.run_id for job in jobs}
        self._done &= pods
        self._begun &= pods

    async def _adopt(self, job: SeenJob) -> None:
        """Make a run of it: by its schedule, or by somebody's hand."""
        await self._run_log.create(
            Run(
                id=job.run_id,
                tenant=job.tenant,
                pipeline=job.pipeline,
                trigger=Trigger.SCHEDULE if job.slot is not None else Trigger.MANUAL,
                actor=SCHEDULE if job.slot is not None else CLUSTER,
                slot=job.slot,
                may_publish=job.supervised,
                created_at=job.created_at,  # RunLog puts its own clock's time
            ),
            start_deadline=self._start_deadline,
        )

    async def _follow(self, job: SeenJob) -> None:
        for place, pod in enumerate(job.pods):
            if pod.uid in self._done:
                continue
            if job.supervised:
                if pod.over:
                    await self._job_log.certify(await self._attempt(job, pod))
                    self._done.add(pod.uid)
                continue
            last = place == len(job.pods) - 1
            if pod.running or pod.over:
                await self._begin(job, pod)
            if pod.over and not (last and job.phase is Phase.ACTIVE):
                await self._finish(job, pod, last)

    async def _begin(self, job: SeenJob, pod: SeenPod) -> None:
        if pod.uid in self._begun:
            return
        claim = Claim(
            run_id=job.run_id,
            attempt_id=pod.uid,
            tenant=job.tenant,
            pipeline=job.pipeline,
            parameters=None,
            trigger=Trigger.SCHEDULE if job.slot is not None else Trigger.MANUAL,
            actor=SCHEDULE if job.slot is not None else CLUSTER,
            slot=job.slot,
            may_publish=False,
            fence=None,
            whereabouts=_whereabouts(job, pod),
            lease=LONGEST,  # what keeps it alive is the cluster's word, and that has no lease
            run_deadline=DEFAULT_RUN_DEADLINE if job.deadline is None else job.deadline + _MARGIN,
        )
        try:
            await self._attempt_log.claim(claim)
        except RunClosed:
            self._done.add(pod.uid)
            raise
        self._begun.add(pod.uid)

    async def _finish(self, job: SeenJob, pod: SeenPod, last: bool) -> None:
        certificate = (await self._attempt(job, pod)).certificate or DeathCertificate()
        status = RunStatus.PENDING
        if last:
            status = RunStatus.SUCCEEDED if job.phase is Phase.COMPLETE else RunStatus.FAILED
        if status is RunStatus.SUCCEEDED:
            certificate = msgspec.structs.replace(certificate, cause=None, log_tail=certificate.log_tail)
        elif job.certificate is not None and last:
            certificate = msgspec.structs.replace(
                certificate, cause=job.certificate.cause, message=job.certificate.message, reason=job.certificate.reason
            )
        elif certificate.cause is None:
            certificate = msgspec.structs.replace(certificate, cause=FailureCause.UNKNOWN)
        await self._attempt_log.finish(
            pod.uid,
            Outcome(
                status=status,
                exit_code=certificate.exit_code or 0,
                certificate=certificate,
                duration=_seconds(pod),
            ),
        )
        self._done.add(pod.uid)

    async def _attempt(self, job: SeenJob, pod: SeenPod) -> Attempt:
        """The attempt of a pod that is over, with all that can be said of its end."""
        certificate = pod.certificate or DeathCertificate(cause=FailureCause.UNKNOWN)
        summary = pod.summary
        if summary is not None:
            # Who wanted it to go was not told to it: what it calls a signal the cluster has a name for.
            named = summary.cause is FailureCause.SIGNAL and certificate.cause in SENDERS
            certificate = msgspec.structs.replace(
                certificate,
                cause=certificate.cause if named else summary.cause,
                exit_code=summary.payload_exit_code,
                signal=summary.signal,
                message=certificate.message if named else summary.message,
            )
        certificate = msgspec.structs.replace(
            certificate,
            log_tail=await self._jobs.log_tail(job, pod),
            events=await self._jobs.told(job, pod),
            recorded_by=RECONCILER,
        )
        started = pod.started_at or pod.created_at
        return Attempt(
            id=pod.uid,
            run_id=job.run_id,
            number=1,
            fence=None if summary is None else summary.fence,
            whereabouts=_whereabouts(job, pod),
            started_at=started,
            lease_until=started,
            ended_at=pod.ended_at or started,
            certificate=certificate,
        )

    async def _tell(self, bad: Quarantined) -> None:
        """Once for each thing that is wrong with the object."""
        identity = f"{bad.uid}: {bad.why[:200]}"
        if identity in self._told:
            return
        event = Event(
            subject=f"cluster:{bad.kind}:{bad.name}",
            kind="cluster.quarantined",
            actor=RECONCILER,
            at=datetime.min,
            data={"object": identity, "why": bad.why},
        )
        await self._run_log.record_once(event, identity="object")
        self._told.add(identity)


def _whereabouts(job: SeenJob, pod: SeenPod) -> Whereabouts:
    return Whereabouts(host=pod.name, namespace=job.namespace, pod=pod.name, node=pod.node, job=job.uid)


def _seconds(pod: SeenPod) -> float:
    if pod.started_at is None or pod.ended_at is None:
        return 0.0
    return max((pod.ended_at - pod.started_at).total_seconds(), 0.0)
