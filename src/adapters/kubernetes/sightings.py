"""What a Job that was seen means for its run: no verdict, but all that one rests on."""

from __future__ import annotations

import msgspec

from ...application.ports.cluster_jobs import Phase, SeenJob, SeenPod
from ...application.ports.launcher import JobState, Sighting
from ...domain.attempt import Attempt, DeathCertificate
from ...domain.failure import FailureCause
from ...domain.launch import Launch
from ...domain.run import Run


class GoneJob(msgspec.Struct, frozen=True):
    """A Job that was there, and is not any more."""

    job: SeenJob
    """As it was seen last."""
    while_at_work: bool
    """It was seen to be deleted while it was active. False: it was not there when it was looked for again."""


def sighting_of(
    job: SeenJob | None, gone: GoneJob | None, run: Run, attempt: Attempt | None, left: tuple[str, ...] = ()
) -> Sighting:
    """``job``: the run's as it is now. ``gone``: as it was last, where it is not there any more.

    ``left``: pods of a Job that is gone, by name, which have not ended.
    """
    if job is not None:
        return _ended(job, there=True) if job.phase is not Phase.ACTIVE else _at_work(job)
    if gone is not None:
        return _outlived(gone, left) if left else _gone(gone)
    if attempt is not None and attempt.whereabouts.pod is not None:
        where = f"namespace {attempt.whereabouts.namespace}"
        return Sighting(state=JobState.MISSING, detail=f"no Job of it is in {where}, and nobody saw it go")
    if run.launch is Launch.STARTED:
        return Sighting(state=JobState.UNKNOWN, detail="no Job of it is to be seen")
    return Sighting(state=JobState.UNKNOWN, detail="no attempt has taken the run yet")


def _outlived(gone: GoneJob, left: tuple[str, ...]) -> Sighting:
    """A deletion in the background, or one that orphans, takes the Job first: what works is there all the same."""
    return Sighting(
        state=JobState.ALIVE,
        detail=f"its Job {gone.job.name} was deleted on the cluster, and of it {', '.join(left)} has not ended yet",
        deleted=gone.job.phase is Phase.ACTIVE,
        present=True,
        supervised=gone.job.supervised,
    )


def _gone(gone: GoneJob) -> Sighting:
    job = gone.job
    if job.phase is not Phase.ACTIVE:
        return _ended(job, there=False)
    if gone.while_at_work:
        what = f"its Job {job.name} was deleted on the cluster before it had ended"
        return Sighting(state=JobState.GONE, detail=what, deleted=True, supervised=job.supervised)
    what = f"its Job {job.name} went away between two looks"
    return Sighting(
        state=JobState.GONE,
        detail=what,
        certificate=DeathCertificate(cause=FailureCause.UNKNOWN, message=what),
        supervised=job.supervised,
    )


def _ended(job: SeenJob, *, there: bool) -> Sighting:
    last = job.pods[-1] if job.pods else None
    ended = job.certificate or (last.certificate if last is not None else None)
    words = {Phase.COMPLETE: "is complete", Phase.FAILED: "has failed"}[job.phase]
    said = f": {ended.message}" if ended is not None and ended.message else ""
    return Sighting(
        state=JobState.GONE,
        detail=f"its Job {job.name} {words}{said}",
        certificate=ended,
        ended_well=job.phase is Phase.COMPLETE,
        summary=last.summary if last is not None else None,
        supervised=job.supervised,
        followed=there and last is not None and not job.supervised,
    )


def _at_work(job: SeenJob) -> Sighting:
    newest = job.pods[-1] if job.pods else None
    there = any(not pod.over for pod in job.pods)
    if job.deleting:
        detail = f"its Job {job.name} is being deleted, and its pods are ending"
    elif newest is None:
        detail = f"its Job {job.name} has made no pod yet"
    else:
        detail = f"its pod {newest.name} {_words(newest)}"
    waits = newest is not None and not newest.over and not newest.running
    return Sighting(
        state=JobState.ALIVE,
        detail=detail,
        deleted=job.deleting,
        certificate=newest.certificate if newest is not None and waits else job.certificate,
        hopeless=job.hopeless or (newest is not None and newest.hopeless),
        present=there,
        supervised=job.supervised,
    )


def _words(pod: SeenPod) -> str:
    where = f" on {pod.node}" if pod.node else ""
    if pod.over:
        return f"has ended{where}, and its Job goes on"
    if pod.running:
        return f"runs{where}"
    return f"waits{where}" + (f": {pod.certificate.message}" if pod.certificate and pod.certificate.message else "")
