"""Jobs, their pods and CronJobs as they were told of last, and what they are taken for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

import msgspec

from ...application.foreign_text import ForeignText
from ...application.ports.clock import Clock
from ...application.ports.cluster_jobs import Quarantined, SeenJob
from ...domain.job_names import JOB_UID, PIPELINE
from ...domain.tenant import Tenant
from .objects import Change, CronJob, Job, Pod, Sketch
from .pods import is_over
from .seen import seen_job
from .sightings import GoneJob

_REMEMBERED = 10_000
T = TypeVar("T", Job, Pod, CronJob)


class KnownObjects:
    """Takes what a list or a watch tells, in whatever order, and answers what there is. It asks nobody.

    One object that cannot be read is passed over, and named; what has gone is remembered for a while.
    """

    def __init__(self, tenant: Tenant, clock: Clock, hide: ForeignText) -> None:
        """``tenant``: of Jobs that name none. ``hide``: what nobody is to read of a container's last words."""
        self._tenant, self._clock, self._hide = tenant, clock, hide
        self._jobs: dict[UUID, Job] = {}
        self._pods: dict[UUID, dict[UUID, Pod]] = {}
        self._cron_jobs: dict[str, CronJob] = {}
        self._gone: OrderedDict[UUID, GoneJob] = OrderedDict()
        self._bad: dict[str, Quarantined] = {}
        self._held: dict[tuple[UUID, str], float] = {}
        self._seen: dict[UUID, SeenJob] = {}
        self._by_run: dict[UUID, UUID] = {}
        self._changed: set[UUID] = set()
        self._held_back: set[UUID] = set()

    def jobs(self) -> tuple[SeenJob, ...]:
        """As they were seen last."""
        self._settle()
        return tuple(self._seen.values())

    def of_run(self, run_id: UUID) -> SeenJob | None:
        """The Job of a run; None: none was there."""
        self._settle()
        uid = self._by_run.get(run_id)
        return None if uid is None else self._seen.get(uid)

    def gone_of_run(self, run_id: UUID) -> GoneJob | None:
        """The Job of a run as it was last, when it was seen to be there and then seen not to be."""
        return self._gone.get(run_id)

    def left_of(self, job: UUID) -> tuple[str, ...]:
        """The names of a Job's pods that have not ended, be the Job there or not."""
        return tuple(pod.metadata.name for pod in self._pods.get(job, {}).values() if not is_over(pod))

    def quarantined(self) -> tuple[Quarantined, ...]:
        """What could not be read."""
        self._settle()
        return tuple(self._bad.values())

    def cron_jobs(self) -> tuple[CronJob, ...]:
        """Those with a pipeline's label."""
        return tuple(self._cron_jobs.values())

    def add_cron_job(self, body: bytes) -> None:
        """A CronJob that was changed just now."""
        self._take(body, CronJob, self._put_cron_job)

    def add(self, body: bytes) -> None:
        """A Job that was made, or read by itself, just now."""
        self._take(body, Job, self._put_job)

    def replace(self, found: Mapping[str, Iterable[bytes]]) -> None:
        """A list, by kind, CronJobs first: what it does not have is not there."""
        self._settle()
        before, self._jobs, self._pods, self._cron_jobs = dict(self._seen), {}, {}, {}
        self._bad.clear()
        for kind, items in found.items():
            for item in items:
                self._put(kind, item)
        self._changed |= before.keys() | self._jobs.keys()
        self._settle()
        unread = {bad.uid for bad in self._bad.values()}
        for uid, job in before.items():
            if uid not in self._jobs and str(uid) not in unread:
                self._forget(GoneJob(job, while_at_work=job.deleting))
        alive = {pod for pods in self._pods.values() for pod in pods}
        self._held = {key: since for key, since in self._held.items() if key[0] in alive or key[0] in self._jobs}

    def change(self, kind: str, change: Change) -> None:
        """What a watch tells."""
        body = bytes(change.object)
        if change.type == "DELETED" and kind == "jobs":
            self._take(body, Job, self._drop_job)
        elif change.type == "DELETED" and kind == "pods":
            self._take(body, Pod, self._drop_pod)
        else:
            # A CronJob that is deleted is known until the next list: its Jobs go after it, and are to be known as its.
            self._put(kind, body)

    def _put(self, kind: str, body: bytes) -> None:
        if kind == "cronjobs":
            self._take(body, CronJob, self._put_cron_job)
        elif kind == "jobs":
            self._take(body, Job, self._put_job)
        else:
            self._take(body, Pod, self._put_pod)

    def _take(self, body: bytes, kind: type[T], put: Callable[[T], None]) -> None:
        try:
            made = msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, ValueError) as error:
            self._quarantine(kind.__name__, body, str(error))
            return
        put(made)

    def _put_job(self, job: Job) -> None:
        self._jobs[job.metadata.uid] = job
        self._changed.add(job.metadata.uid)

    def _drop_job(self, job: Job) -> None:
        self._put_job(job)
        self._settle()
        seen = self._seen.get(job.metadata.uid)
        del self._jobs[job.metadata.uid]
        self._changed.add(job.metadata.uid)
        if seen is not None:
            self._forget(GoneJob(seen, while_at_work=True))

    def _put_pod(self, pod: Pod) -> None:
        job = _job_of(pod)
        if job is not None:
            self._pods.setdefault(job, {})[pod.metadata.uid] = pod
            self._changed.add(job)

    def _drop_pod(self, pod: Pod) -> None:
        # One that has ended is evidence as long as its Job is there, whether it is or not.
        job = _job_of(pod)
        children = self._pods.get(job, {}) if job is not None else {}
        if pod.status.phase in ("Succeeded", "Failed"):
            self._put_pod(pod)
        elif children.pop(pod.metadata.uid, None) is not None and job is not None:
            self._changed.add(job)

    def _put_cron_job(self, cron_job: CronJob) -> None:
        uid = str(cron_job.metadata.uid)
        if PIPELINE not in (cron_job.metadata.labels or {}):
            return
        if uid not in self._cron_jobs:  # a Job without a label of ours, which may have been told of before, is its
            self._changed |= self._jobs.keys() - self._seen.keys()
        self._cron_jobs[uid] = cron_job

    def _forget(self, gone: GoneJob) -> None:
        self._gone[gone.job.run_id] = gone
        while len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)

    def _settle(self) -> None:
        """Make what is asked for of the objects that have changed; what is held back changes as time goes by."""
        for uid in self._changed | self._held_back:
            self._held_back.discard(uid)
            before = self._seen.pop(uid, None)
            if before is not None and self._by_run.get(before.run_id) == uid:
                del self._by_run[before.run_id]
            job = self._jobs.get(uid)
            seen = None if job is None else self._read(job)
            if seen is None:
                continue
            self._seen[uid] = seen
            self._by_run[seen.run_id] = uid
            if any(pod.certificate is not None and not pod.over for pod in seen.pods):
                self._held_back.add(uid)
        self._changed.clear()

    def _read(self, job: Job) -> SeenJob | None:
        meta = job.metadata
        children = self._pods.get(meta.uid, {}).values()
        try:
            seen = seen_job(job, children, self._cron_jobs, self._tenant, self.waited, self._hide)
        except Exception as error:  # whatever it holds: the others are seen all the same
            why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            self._bad[str(meta.uid)] = Quarantined(kind="Job", name=meta.name, uid=str(meta.uid), why=why)
            return None
        self._bad.pop(str(meta.uid), None)
        return seen

    def waited(self, uid: UUID, reason: str) -> float:
        """Seconds since this was first said of the object."""
        now = self._clock.monotonic()
        return now - self._held.setdefault((uid, reason), now)

    def _quarantine(self, kind: str, body: bytes, why: str) -> None:
        try:
            meta = msgspec.json.decode(body, type=Sketch).metadata
        except (msgspec.MsgspecError, ValueError):
            meta = {}
        name, uid = str(meta.get("name", "?"))[:253], str(meta.get("uid", "?"))[:63]
        self._bad[f"{uid} {name}"] = Quarantined(kind=kind, name=name, uid=uid, why=why)


def _job_of(pod: Pod) -> UUID | None:
    label = (pod.metadata.labels or {}).get(JOB_UID)
    try:
        return None if label is None else UUID(label)
    except ValueError:
        return None
