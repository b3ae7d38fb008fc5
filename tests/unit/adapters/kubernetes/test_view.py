"""What is seen of a cluster: whatever its objects hold, and however late a watch tells it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubescribe.adapters.kubernetes.connection import ApiServer
from kubescribe.adapters.kubernetes.view import LIST_EVERY, ClusterView
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.application.ports.cluster_jobs import Phase
from kubescribe.domain.errors import ClusterRefused, ClusterUnavailable

RUN = UUID(int=0xF00D)
GOOD, OTHER = UUID(int=1), UUID(int=2)
CREATED = "2026-11-22T05:15:00Z"


def job(uid: UUID = GOOD, **labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "runner", "image": "x", "env": [{"name": "KUBESCRIBE_POD_UID"}]}]}
    return {
        "metadata": {
            "name": f"sales-{uid.int}",
            "uid": str(uid),
            "namespace": "runs",
            "creationTimestamp": CREATED,
            "resourceVersion": "7",
            "labels": {"kubescribe.io/pipeline": "sales", **labels},
            "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": CREATED},
            "ownerReferences": [{"kind": "CronJob", "name": "sales", "uid": "c", "controller": True}],
        },
        "spec": {"template": {"spec": spec}, "activeDeadlineSeconds": 60},
        "status": {"conditions": []},
    }


def ended(it: dict[str, Any], how: str = "Complete") -> dict[str, Any]:
    it = copy.deepcopy(it)
    it["status"]["conditions"] = [{"type": how, "status": "True", "reason": "x", "message": "y"}]
    return it


def pod(uid: UUID, of: UUID = GOOD) -> dict[str, Any]:
    state = {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": CREATED, "finishedAt": CREATED}}
    return {
        "metadata": {
            "name": f"sales-{uid.int}",
            "uid": str(uid),
            "namespace": "runs",
            "creationTimestamp": CREATED,
            "labels": {"batch.kubernetes.io/controller-uid": str(of)},
        },
        "spec": {"containers": [{"name": "runner", "image": "x"}], "nodeName": "node-1"},
        "status": {"phase": "Failed", "containerStatuses": [{"name": "runner", "state": state}]},
    }


class Server(ApiServer):
    """Answers with what it holds, a page at a time; a watch tells what it was given."""

    def __init__(self) -> None:
        super().__init__(environ={})
        self.held: dict[str, list[Any]] = {"jobs": [], "pods": [], "cronjobs": []}
        self.changes: list[Any] = []
        self.cron_job_changes: list[Any] = []
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        self.fails: Exception | None = None
        self.page = 500
        self.forgets_pages = 0

    async def read(self, path: str, query: Mapping[str, object] | None = None) -> bytes | None:
        query = query or {}
        self.asked.append((path, query))
        if self.fails is not None:
            raise self.fails
        kind = path.rsplit("/", 1)[1]
        start = int(str(query.get("continue", 0)))
        if start and self.forgets_pages:
            self.forgets_pages -= 1
            raise ClusterRefused("list", 410, "Expired")
        items = self.held[kind][start : start + self.page]
        more = str(start + self.page) if start + self.page < len(self.held[kind]) else ""
        return msgspec.json.encode({"metadata": {"resourceVersion": "9", "continue": more}, "items": items})

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, object], *, seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        async def told() -> AsyncIterator[bytes]:
            kind = path.rsplit("/", 1)[1]
            if kind == "jobs" and self.cron_job_changes:
                await asyncio.sleep(0.01)  # of CronJobs it is told first
            for change in {"jobs": self.changes, "cronjobs": self.cron_job_changes}.get(kind, ()):
                yield msgspec.json.encode(change)
            await asyncio.Event().wait()

        yield told()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def view(server: Server, clock: MemoryClock, loop: asyncio.Runner) -> Iterator[ClusterView]:
    async def make() -> ClusterView:
        return ClusterView(server, lambda: ("runs",), "default", clock)

    yield loop.run(make())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def places(thing: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [way] if way else []
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in items:
        found += places(value, (*way, key))
    return found


@settings(max_examples=200)
@given(st.data())
def test_a9_no_object_keeps_another_from_being_seen(data: st.DataObject) -> None:
    odd = data.draw(st.sampled_from([job(OTHER), ended(job(OTHER)), pod(UUID(int=8), OTHER)]))
    kind = "pods" if "nodeName" in odd["spec"] else "jobs"
    odd = copy.deepcopy(odd)
    for way in data.draw(st.lists(st.sampled_from(places(odd)), min_size=1, max_size=3)):
        place = odd
        try:
            for key in way[:-1]:
                place = place[key]
            place[way[-1]] = data.draw(JSON)
        except (KeyError, IndexError, TypeError):
            continue  # it was taken out by an earlier one
    server = Server()
    server.held[kind] += [odd]
    server.held["jobs"] += [job()]

    async def seen() -> set[UUID]:
        view = ClusterView(server, lambda: ("runs",), "default", MemoryClock())
        await view.refresh()
        view.quarantined()
        return {one.uid for one in view.jobs()}

    with asyncio.Runner() as runner:
        assert GOOD in runner.run(seen())


def test_pages_that_the_server_has_forgotten_are_asked_for_from_the_beginning(
    server: Server, view: ClusterView, loop: asyncio.Runner
) -> None:
    server.held["jobs"] = [job(UUID(int=number)) for number in range(1, 8)]
    server.page, server.forgets_pages = 3, 1
    loop.run(view.refresh())
    assert {one.uid.int for one in view.jobs()} == set(range(1, 8))


def test_a_job_of_an_adopted_cron_job_needs_no_label(server: Server, view: ClusterView, loop: asyncio.Runner) -> None:
    its = job()
    its["metadata"]["labels"] = {}
    its["metadata"]["ownerReferences"][0]["uid"] = str(OTHER)
    server.held["jobs"], server.held["cronjobs"] = [its], [adopted(OTHER)]
    loop.run(view.refresh())
    (seen,) = view.jobs()
    assert (seen.pipeline, seen.tenant) == ("cleanup", "ops")


def adopted(uid: UUID) -> dict[str, Any]:
    labels = {"kubescribe.io/pipeline": "cleanup", "kubescribe.io/tenant": "ops"}
    metadata = {**job()["metadata"], "name": "cleanup", "uid": str(uid), "labels": labels}
    return {"metadata": metadata, "spec": {"schedule": "@daily"}}


def test_a_cron_job_that_gets_our_label_while_we_watch_has_its_jobs_seen(
    server: Server, view: ClusterView, loop: asyncio.Runner
) -> None:
    its = job()
    its["metadata"]["labels"] = {}
    its["metadata"]["ownerReferences"][0]["uid"] = str(OTHER)
    server.held["jobs"] = [its]
    server.cron_job_changes = [{"type": "ADDED", "object": adopted(OTHER)}]
    watch(view, loop)
    assert [(seen.pipeline, seen.tenant) for seen in view.jobs()] == [("cleanup", "ops")]


def test_a_job_that_is_deleted_after_its_cron_job_is_known_to_be_its(
    server: Server, view: ClusterView, loop: asyncio.Runner
) -> None:
    its = job()
    its["metadata"]["labels"] = {}
    its["metadata"]["ownerReferences"][0]["uid"] = str(OTHER)
    server.held["jobs"], server.held["cronjobs"] = [its], [adopted(OTHER)]
    server.cron_job_changes = [{"type": "DELETED", "object": adopted(OTHER)}]
    server.changes = [{"type": "DELETED", "object": its}]
    watch(view, loop)
    gone = view.gone_of_run(GOOD)
    assert gone is not None and gone.job.pipeline == "cleanup"


@pytest.mark.parametrize("last", [job(), ended(job())])
def test_what_a_list_does_not_show_any_more_went_away_unseen(
    last: dict[str, Any], server: Server, view: ClusterView, loop: asyncio.Runner, clock: MemoryClock
) -> None:
    server.held["jobs"] = [last]
    loop.run(view.refresh())
    server.held["jobs"] = []
    loop.run(view.refresh(0.0))
    gone = view.gone_of_run(GOOD)
    assert gone is not None and not gone.while_at_work
    assert view.of_run(GOOD) is None


def test_one_that_cannot_be_read_any_more_has_not_gone_away(
    server: Server, view: ClusterView, loop: asyncio.Runner
) -> None:
    server.held["jobs"] = [job()]
    loop.run(view.refresh())
    odd = job()
    odd["spec"] = 7
    server.held["jobs"] = [odd]
    loop.run(view.refresh(0.0))
    assert view.gone_of_run(GOOD) is None
    assert [bad.uid for bad in view.quarantined()] == [str(GOOD)]


def test_a_failed_look_is_not_repeated_at_once_and_nothing_is_forgotten(
    server: Server, view: ClusterView, loop: asyncio.Runner, clock: MemoryClock
) -> None:
    server.held["jobs"] = [job()]
    loop.run(view.refresh())
    server.fails = ClusterUnavailable("it is away")
    for _ in range(5):
        with pytest.raises(ClusterUnavailable):
            loop.run(view.refresh(0.0))
    asked = len(server.asked)
    assert asked == 4, "one look of three lists, and one that failed"
    assert [one.uid for one in view.jobs()] == [GOOD]


def watch(view: ClusterView, loop: asyncio.Runner) -> None:
    async def some() -> None:
        following = asyncio.create_task(view.follow(lambda: None))
        for _ in range(50):
            await asyncio.sleep(0.001)
        following.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(following, return_exceptions=True)

    loop.run(some())


def test_a_look_that_took_long_serves_a_whole_pass(
    server: Server, view: ClusterView, clock: MemoryClock, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = server.read

    async def slowly(path: str, query: Mapping[str, object] | None = None) -> bytes | None:
        clock.advance(0.5)
        return await read(path, query)

    monkeypatch.setattr(server, "read", slowly)
    loop.run(view.refresh(1.0))
    looks = len(server.asked)
    clock.advance(10)
    loop.run(view.refresh(1.0))
    assert len(server.asked) == looks, "three pages took 1.5 s"
    loop.run(view.refresh(0.0))
    assert len(server.asked) == 2 * looks, "who wants it now gets it now"
    clock.advance(16)
    loop.run(view.refresh(1.0))
    assert len(server.asked) == 3 * looks


def test_a6_a_watch_tells_what_comes_and_what_goes(server: Server, view: ClusterView, loop: asyncio.Runner) -> None:
    server.held["jobs"] = [job()]
    server.changes = [
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "10"}}},
        {"type": "ADDED", "object": job(OTHER)},
        {"type": "MODIFIED", "object": ended(job(OTHER), "Failed")},
        {"type": "DELETED", "object": job()},
    ]
    watch(view, loop)
    assert {(one.uid, one.phase) for one in view.jobs()} == {(OTHER, Phase.FAILED)}
    gone = view.gone_of_run(GOOD)
    assert gone is not None and gone.while_at_work


@pytest.mark.parametrize("broken", [{"type": "ERROR", "object": {"code": 410}}, {"no": "change"}])
def test_a6_a_watch_that_breaks_off_is_followed_by_a_list(
    broken: dict[str, Any], server: Server, view: ClusterView, loop: asyncio.Runner, clock: MemoryClock
) -> None:
    server.changes = [broken]
    watch(view, loop)
    lists = [path for path, _ in server.asked if path.endswith("/jobs")]
    assert len(lists) > 1
    assert clock.monotonic() >= 2.0 * (len(lists) - 1), "a server that ends each watch at once is not asked at once"


def test_a6_a_view_that_is_followed_is_not_listed_by_others(
    server: Server, view: ClusterView, loop: asyncio.Runner, clock: MemoryClock
) -> None:
    async def some() -> int:
        following = asyncio.create_task(view.follow(lambda: None))
        await asyncio.sleep(0.01)
        for _ in range(3):
            await view.refresh(0.0)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        return len([path for path, _ in server.asked if path.endswith("/jobs")])

    assert loop.run(some()) == 1
    assert LIST_EVERY == 60.0
