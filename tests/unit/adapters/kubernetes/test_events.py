"""Why Jobs make no pods: asked once for all of them, however many wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.kubernetes.connection import ApiServer
from kubescribe.adapters.kubernetes.launcher import KubernetesLauncher
from kubescribe.adapters.kubernetes.view import ClusterView
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.application.ports.launcher import Sighting
from kubescribe.domain.errors import ClusterUnavailable
from kubescribe.domain.failure import FailureCause
from tests.support.builders import a_run

from .test_view import job

MANY = 200
QUOTA = 'pods "x" is forbidden: exceeded quota: small'


def failed_create(of: int, message: str, at: str = "2026-11-22T05:16:00Z") -> dict[str, Any]:
    involved = {"kind": "Job", "uid": str(UUID(int=of))}
    return {"involvedObject": involved, "reason": "FailedCreate", "message": message, "lastTimestamp": at}


class Server(ApiServer):
    """Jobs without pods, and what was said of them, a page at a time."""

    def __init__(self, *events: object) -> None:
        super().__init__(environ={})
        self.events = list(events)
        self.asked = 0
        self.away = False

    async def read(self, path: str, query: Mapping[str, object] | None = None) -> bytes | None:
        query = query or {}
        if path.endswith("/jobs"):
            items: list[Any] = [
                job(UUID(int=n), **{"kubescribe.io/run-id": str(UUID(int=n))}) for n in range(1, MANY + 1)
            ]
            return msgspec.json.encode({"metadata": {"resourceVersion": "9"}, "items": items})
        if not path.endswith("/events"):
            return msgspec.json.encode({"metadata": {"resourceVersion": "9"}, "items": []})
        self.asked += 1
        if self.away:
            raise ClusterUnavailable("gone fishing")
        assert query["fieldSelector"] == "involvedObject.kind=Job,reason=FailedCreate"
        first = int(str(query.get("continue") or 0))
        more = {"continue": str(first + 1)} if first + 1 < len(self.events) else {}
        page = {"metadata": {"resourceVersion": "9", **more}, "items": self.events[first : first + 1]}
        return msgspec.json.encode(page)


class World:
    """A launcher, and its clock."""

    def __init__(self, server: Server, loop: asyncio.Runner) -> None:
        self.server, self._loop, self.clock = server, loop, MemoryClock()
        view = ClusterView(server, lambda: ("runs",), "default", self.clock)
        self._launcher = KubernetesLauncher(server, view, lambda tenant: "runs", monotonic=self.clock.monotonic)

    def pass_(self) -> dict[int, Sighting]:
        """What is seen of each run, one after the other."""
        return {n: self._loop.run(self._launcher.look(a_run(UUID(int=n)), None)) for n in range(1, MANY + 1)}

    def later(self, seconds: float) -> None:
        self._loop.run(self.clock.sleep(seconds))


def test_k7_one_look_serves_all_jobs_without_pods(loop: asyncio.Runner) -> None:
    world = World(Server(), loop)
    world.pass_()
    assert world.server.asked == 0, "a Job takes a moment to make its pod"
    world.later(4)
    world.pass_()
    world.pass_()
    assert world.server.asked == 1
    world.later(6)
    world.pass_()
    assert world.server.asked == 2


def test_k7_each_job_is_told_what_was_said_of_it_and_on_which_page(loop: asyncio.Runner) -> None:
    early, late = "2026-11-22T05:15:30Z", "2026-11-22T05:17:00Z"
    world = World(
        Server(
            failed_create(1, QUOTA, late),
            {"reason": 7, "involvedObject": "odd"},
            failed_create(1, "no gates here", early),
            failed_create(2, "no gates here"),
        ),
        loop,
    )
    world.pass_()
    world.later(4)
    seen = world.pass_()
    first, second = seen[1].certificate, seen[2].certificate
    assert first is not None and second is not None
    assert first.events == ("FailedCreate: no gates here", f"FailedCreate: {QUOTA}")
    assert (first.cause, second.cause) == (FailureCause.QUOTA_EXCEEDED, FailureCause.CONFIG_ERROR)
    assert not seen[1].hopeless
    assert all(seen[n].certificate is None for n in range(3, MANY + 1))
    world.later(30)
    seen = world.pass_()
    assert (seen[1].hopeless, seen[2].hopeless, seen[3].hopeless) == (True, True, False)


@pytest.mark.parametrize("healed", [False, True])
def test_k7_a_server_that_does_not_say_is_not_asked_by_each_job_in_turn(loop: asyncio.Runner, healed: bool) -> None:
    world = World(Server(failed_create(1, QUOTA)), loop)
    world.pass_()
    world.later(4)
    world.server.away = True
    assert all(one.certificate is None for one in world.pass_().values())
    assert world.server.asked == 1
    world.server.away = not healed
    world.later(6)
    assert (world.pass_()[1].certificate is not None) is healed
