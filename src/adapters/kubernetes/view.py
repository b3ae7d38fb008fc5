"""What is in the namespaces: a list that misses nothing, kept current by a watch that may miss anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from ...application.foreign_text import ForeignText
from ...application.ports.clock import Clock
from ...application.ports.cluster_jobs import Quarantined, SeenJob
from ...domain.errors import ClusterRefused, ClusterUnavailable, KubescribeError
from ...domain.job_names import JOB_UID, PIPELINE
from ...domain.tenant import Tenant
from .connection import ApiServer, decoded, path_of
from .known_objects import KnownObjects
from .objects import Change, CronJob, Page
from .sightings import GoneJob

LIST_EVERY = 60.0
"""Seconds: what a watch has kept to itself is known after so long."""
_PAGE = 500
_AGAIN = 5.0
_LONGEST_PAUSE = 30.0
_SHORTEST_WATCH = 2.0
_AT_MOST = 10
"""Looking takes at most one part in so many of the time: one look at thousands of Jobs serves a whole pass."""


class ClusterView:
    """The Jobs of pipelines, their pods and CronJobs. Not for several threads.

    While :meth:`follow` runs nobody else needs to look. What a watch tells too late does no harm: that a Job or a pod
    has ended, or is gone, can never become untrue.
    """

    def __init__(
        self,
        api: ApiServer,
        namespaces: Callable[[], Sequence[str]],
        tenant: Tenant,
        clock: Clock,
        hide: ForeignText | None = None,
    ) -> None:
        """``namespaces``: asked at every list. ``tenant``: of Jobs that name none.

        ``hide``: what nobody is to read of a container's last words; None: what looks like a secret.
        """
        self._api, self._namespaces, self._clock = api, namespaces, clock
        self._known = KnownObjects(tenant, clock, hide or ForeignText())
        self._versions: dict[tuple[str, str], str] = {}
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
        return self._known.jobs()

    def of_run(self, run_id: UUID) -> SeenJob | None:
        """The Job of a run; None: none was there."""
        return self._known.of_run(run_id)

    def gone_of_run(self, run_id: UUID) -> GoneJob | None:
        """The Job of a run as it was last, when it was seen to be there and then seen not to be."""
        return self._known.gone_of_run(run_id)

    def left_of(self, job: UUID) -> tuple[str, ...]:
        """The names of a Job's pods that have not ended, be the Job there or not."""
        return self._known.left_of(job)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """What could not be read."""
        return self._known.quarantined()

    def cron_jobs(self) -> tuple[CronJob, ...]:
        """Those with a pipeline's label."""
        return self._known.cron_jobs()

    def add_cron_job(self, body: bytes) -> None:
        """A CronJob that was changed just now."""
        self._known.add_cron_job(body)

    def add(self, body: bytes) -> None:
        """A Job that was made, or read by itself, just now."""
        self._known.add(body)

    def waited(self, uid: UUID, reason: str) -> float:
        """Seconds since this was first said of the object."""
        return self._known.waited(uid, reason)

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
            for kind in _KINDS
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
                self._known.change(kind, change)
                nudge()

    async def _list(self) -> None:
        began = self._clock.monotonic()
        try:
            found = {
                (kind, namespace): await self._pages(kind, namespace)
                for namespace in self._namespaces()
                for kind in _KINDS
            }
        except KubescribeError as error:
            self._failed_at, self._failure = self._clock.monotonic(), error
            raise
        by_kind: dict[str, list[bytes]] = {kind: [] for kind in _KINDS}
        for (kind, namespace), (version, items) in found.items():
            self._versions[kind, namespace] = version
            by_kind[kind] += items
        self._known.replace(by_kind)
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


_KINDS = ("cronjobs", "jobs", "pods")
"""CronJobs first: what has no label of ours is known by its owner."""
_SELECTORS: dict[str, dict[str, object]] = {
    "jobs": {},  # a Job of an adopted CronJob has no label of ours: its owner has
    "pods": {"labelSelector": JOB_UID},
    "cronjobs": {"labelSelector": PIPELINE},
}


def _told(error: Exception) -> KubescribeError:
    if isinstance(error, KubescribeError):
        return error
    return ClusterUnavailable(f"what it told could not be used: {type(error).__name__}: {error}")
