"""What is in the namespaces: a list that misses nothing, kept current by a watch that may miss anything."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from ...application.ports.clock import Clock
from ...application.ports.cluster_jobs import Quarantined, SeenJob
from ...domain.errors import ClusterRefused, ClusterUnavailable, KubescribeError
from ...domain.job_names import JOB_UID, PIPELINE
from ...domain.tenant import Tenant
from .connection import ApiServer, decoded, path_of
from .objects import Change, CronJob, Job, Page, Pod, Sketch
from .pods import is_over
from .seen import seen_job
from .sightings import GoneJob

LIST_EVERY = 60.0
"""Seconds: what a watch has kept to itself is known after so long."""
_PAGE = 500
_REMEMBERED = 10_000
_AGAIN = 5.0
_LONGEST_PAUSE = 30.0
_SHORTEST_WATCH = 2.0
_AT_MOST = 10
"""Looking takes at most one part in so many of the time: one look at thousands of Jobs serves a whole pass."""
T = TypeVar("T", Job, Pod, CronJob)


class ClusterView:
    """The Jobs of pipelines, their pods and CronJobs. Not for several threads.

    While :meth:`follow` runs nobody else needs to look. What a watch tells too late does no harm: that a Job or a pod
    has ended, or is gone, can never become untrue.
    """

    def __init__(self, api: ApiServer, namespaces: Callable[[], Sequence[str]], tenant: Tenant, clock: Clock) -> None:
        """``namespaces``: asked at every list. ``tenant``: of Jobs that name none."""
        self._api, self._namespaces, self._tenant, self._clock = api, namespaces, tenant, clock
        self._jobs: dict[UUID, Job] = {}
        self._pods: dict[UUID, dict[UUID, Pod]] = {}
        self._cron_jobs: dict[str, CronJob] = {}
        self._versions: dict[tuple[str, str], str] = {}
        self._gone: OrderedDict[UUID, GoneJob] = OrderedDict()
        self._bad: dict[str, Quarantined] = {}
        self._held: dict[tuple[UUID, str], float] = {}
        self._seen: dict[UUID, SeenJob] = {}
        self._by_run: dict[UUID, UUID] = {}
        self._changed: set[UUID] = set()
        self._held_back: set[UUID] = set()
        self._listed_at: float | None = None
        self._took = 0.0
        self._failed_at: float | None = None
        self._failure: KubescribeError | None = None
        self._following = False
        self._turn = asyncio.Lock()

    async def refresh(self, max_age: float = LIST_EVERY) -> None:
        """Look, where the last look is so many seconds old; raises as the API server does, and not at once again.

        One that has taken long is good for longer, but for who wants one that is 0 seconds old.
        """
        async with self._turn:
            now = self._clock.monotonic()
            enough = max(max_age, _AT_MOST * self._took) if max_age else max_age
            if self._following:
                enough = LIST_EVERY + _AGAIN * 3
            if self._listed_at is not None and now - self._listed_at < enough:
                return
            if self._failure is not None and self._failed_at is not None and now - self._failed_at < _AGAIN:
                raise self._failure
            await self._list()

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

    async def follow(self, nudge: Callable[[], None]) -> None:
        """List, then watch until it is time to list again, for ever; ``nudge`` is called when something has changed."""
        pause = 1.0
        self._following = True
        try:
            while True:
                try:
                    async with self._turn:
                        await self._list()
                    pause = 1.0
                    nudge()
                    began = self._clock.monotonic()
                    await self._watch(nudge)
                    if self._clock.monotonic() - began < _SHORTEST_WATCH:
                        await self._clock.sleep(_SHORTEST_WATCH)  # a server that ends each at once is not asked at once
                except Exception as error:  # a defect too: nobody else would begin again
                    self._failed_at, self._failure = self._clock.monotonic(), _told(error)
                    await self._clock.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            self._following = False

    async def _watch(self, nudge: Callable[[], None]) -> None:
        watches = [
            asyncio.ensure_future(self._watch_one(kind, namespace, nudge))
            for kind in ("cronjobs", "jobs", "pods")
            for namespace in self._namespaces()
        ]
        try:
            # One that ends early (410, a cut) ends them all: the list that follows settles what it has missed.
            done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED, timeout=LIST_EVERY)
            for one in done:
                one.result()
        finally:
            for one in watches:
                one.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _watch_one(self, kind: str, namespace: str, nudge: Callable[[], None]) -> None:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._versions[kind, namespace],
            "timeoutSeconds": int(LIST_EVERY),
            **_SELECTORS[kind],
        }
        async with self._api.lines(path_of(kind, namespace), query, seconds=LIST_EVERY + _AGAIN) as lines:
            async for line in lines:
                try:
                    change = msgspec.json.decode(line, type=Change)
                except (msgspec.MsgspecError, ValueError):
                    return  # no line of a watch: the list that follows says what is true
                if change.type == "ERROR":  # mostly 410: what was to be told is forgotten
                    return
                if change.type == "BOOKMARK":
                    continue
                self._apply(kind, change)
                nudge()

    def _apply(self, kind: str, change: Change) -> None:
        body = bytes(change.object)
        if kind == "jobs":
            self._take(body, Job, self._drop_job if change.type == "DELETED" else self._put_job)
        elif kind == "cronjobs":
            # One that is deleted is known until the next list: its Jobs go after it, and are to be known as its.
            self._take(body, CronJob, self._put_cron_job)
        else:
            self._take(body, Pod, self._drop_pod if change.type == "DELETED" else self._put_pod)

    async def _list(self) -> None:
        began = self._clock.monotonic()
        try:
            found = {
                (kind, namespace): await self._pages(kind, namespace)
                for namespace in self._namespaces()
                for kind in ("cronjobs", "jobs", "pods")
            }
        except KubescribeError as error:
            self._failed_at, self._failure = self._clock.monotonic(), error
            raise
        self._settle()
        before, self._jobs, self._pods, self._cron_jobs = dict(self._seen), {}, {}, {}
        self._bad.clear()
        for (kind, namespace), (version, items) in found.items():
            self._versions[kind, namespace] = version
            for item in items:
                if kind == "cronjobs":
                    self._take(item, CronJob, self._put_cron_job)
                elif kind == "jobs":
                    self._take(item, Job, self._put_job)
                else:
                    self._take(item, Pod, self._put_pod)
        self._changed |= before.keys() | self._jobs.keys()
        self._settle()
        unread = {bad.uid for bad in self._bad.values()}
        for uid, job in before.items():
            if uid not in self._jobs and str(uid) not in unread:
                self._forget(GoneJob(job, while_at_work=job.deleting))
        alive = {pod for pods in self._pods.values() for pod in pods}
        self._held = {key: since for key, since in self._held.items() if key[0] in alive or key[0] in self._jobs}
        self._listed_at, self._failure = self._clock.monotonic(), None
        self._took = self._listed_at - began

    async def _pages(self, kind: str, namespace: str) -> tuple[str, list[bytes]]:
        items: list[bytes] = []
        more: str | None = None
        while True:
            query: dict[str, object] = {"limit": _PAGE, **_SELECTORS[kind]}
            if more:
                query["continue"] = more
            try:
                body = await self._api.read(path_of(kind, namespace), query)
            except ClusterRefused as refused:
                if refused.status != 410 or not more:
                    raise
                items, more = [], None  # the snapshot of the first page is forgotten: from the beginning
                continue
            if body is None:  # the API server has a list of every namespace, of one that is not there too
                raise ClusterUnavailable(f"what it answered is no list of {kind}: there is no such page")
            page = decoded(body, Page, f"list of {kind}")
            items += [bytes(item) for item in page.items or ()]
            more = page.metadata.next
            if not more:
                return page.metadata.resource_version, items

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
            seen = seen_job(job, children, self._cron_jobs, self._tenant, self.waited)
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


_SELECTORS: dict[str, dict[str, object]] = {
    "jobs": {},  # a Job of an adopted CronJob has no label of ours: its owner has
    "pods": {"labelSelector": JOB_UID},
    "cronjobs": {"labelSelector": PIPELINE},
}


def _job_of(pod: Pod) -> UUID | None:
    label = (pod.metadata.labels or {}).get(JOB_UID)
    try:
        return None if label is None else UUID(label)
    except ValueError:
        return None


def _told(error: Exception) -> KubescribeError:
    if isinstance(error, KubescribeError):
        return error
    return ClusterUnavailable(f"what it told could not be used: {type(error).__name__}: {error}")
