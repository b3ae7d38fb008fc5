"""Reading a cluster's CronJobs, and asking what it would make of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from kubescribe.adapters.memory.cron_jobs import MemoryCronJobs
from kubescribe.application.manifests.cron_job import cron_job
from kubescribe.application.manifests.installation import Installation, Manifest
from kubescribe.application.manifests.rendering import manifests
from kubescribe.application.ports.cron_jobs import CronJobs
from kubescribe.domain.errors import ClusterRefused
from tests.support.manifests import a_pipeline


class World(Protocol):
    @property
    def cron_jobs(self) -> CronJobs: ...

    @property
    def namespace(self) -> str: ...

    @property
    def loop(self) -> asyncio.Runner: ...

    def apply(self, manifest: Manifest) -> None: ...


class MemoryWorld:
    namespace = "here"

    def __init__(self, loop: asyncio.Runner) -> None:
        self.cron_jobs, self.loop = MemoryCronJobs(), loop

    def apply(self, manifest: Manifest) -> None:
        self.cron_jobs.put(manifest)


class ClusterWorld:
    def __init__(self, loop: asyncio.Runner, request: pytest.FixtureRequest) -> None:
        from kubescribe.adapters.kubernetes.connection import ApiServer
        from kubescribe.adapters.kubernetes.cron_jobs import KubernetesCronJobs

        plane, self._made = request.getfixturevalue("control_plane"), request.getfixturevalue("namespace")
        self.loop, self.namespace = loop, self._made.name
        api = ApiServer(str(plane.kubeconfig("kubescribe-admin", "system:masters")))
        request.addfinalizer(lambda: loop.run(api.close()))
        self.cron_jobs = KubernetesCronJobs(api)

    def apply(self, manifest: Manifest) -> None:
        if manifest["kind"] == "CronJob":
            manifest["spec"]["suspend"] = True  # nothing is to fire beside other tests
        self._made.create(manifest)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=["memory", pytest.param("cluster", marks=pytest.mark.cluster)])
def world(request: pytest.FixtureRequest, loop: asyncio.Runner) -> World:
    return MemoryWorld(loop) if request.param == "memory" else ClusterWorld(loop, request)


def a_manifest(world: World, name: str = "nightly_totals", **declared: Any) -> Manifest:
    return cron_job(a_pipeline(name, **declared), Installation(namespace=world.namespace))


def test_what_is_there_is_shown_by_name_and_what_is_not_ours_is_not(world: World) -> None:
    theirs = a_manifest(world, "theirs")
    theirs["metadata"]["labels"] = {"app.kubernetes.io/name": "other"}
    for manifest in (a_manifest(world, "two"), a_manifest(world, "one"), theirs):
        world.apply(manifest)
    found = world.loop.run(world.cron_jobs.rendered(world.namespace))
    assert [one["metadata"]["name"] for one in found] == ["one", "two"]
    assert found[0]["spec"]["schedule"] == "15 5 * * *"


def test_another_namespace_is_another_one(world: World) -> None:
    world.apply(a_manifest(world))
    assert world.loop.run(world.cron_jobs.rendered("elsewhere")) == ()


@pytest.mark.parametrize("name", ["one", "n" * 52])
def test_what_would_be_made_has_its_defaults_and_is_not_made(world: World, name: str) -> None:
    taken = world.loop.run(world.cron_jobs.as_taken(a_manifest(world, name)))
    assert taken["metadata"]["name"] == name
    assert taken["spec"]["suspend"] is False
    assert world.loop.run(world.cron_jobs.rendered(world.namespace)) == ()


def test_one_that_is_there_can_be_asked_about(world: World) -> None:
    world.apply(a_manifest(world))
    taken = world.loop.run(world.cron_jobs.as_taken(a_manifest(world, schedule="0 1 * * *")))
    (there,) = world.loop.run(world.cron_jobs.rendered(world.namespace))
    assert (taken["spec"]["schedule"], there["spec"]["schedule"]) == ("0 1 * * *", "15 5 * * *")


def test_what_would_not_be_taken_is_refused_with_its_name(world: World) -> None:
    wrong = a_manifest(world)
    del wrong["spec"]["schedule"]
    with pytest.raises(ClusterRefused, match=r"take CronJob nightly-totals \(422\).*schedule"):
        world.loop.run(world.cron_jobs.as_taken(wrong))


def test_the_list_of_those_that_may_be_started_is_shown(world: World) -> None:
    assert world.loop.run(world.cron_jobs.startable(world.namespace)) is None
    world.apply(manifests([a_pipeline("nightly_totals")], Installation(namespace=world.namespace))[0])
    assert world.loop.run(world.cron_jobs.startable(world.namespace)) == {"nightly-totals": "nightly_totals"}
