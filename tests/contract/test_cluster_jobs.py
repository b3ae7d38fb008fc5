"""What a cluster shows of its pipelines' Jobs and schedules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.memory.cluster_jobs import MemoryClusterJobs
from kubescribe.adapters.memory.schedules import MemorySchedules
from kubescribe.application.ports.cluster_jobs import ClusterJobs, Phase, Quarantined, SeenJob, SeenPod
from kubescribe.application.ports.schedules import Schedules, SeenSchedule
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.failure import FailureCause
from tests.support.builders import LONG_AGO
from tests.support.waiting import wait_for


class World(Protocol):
    @property
    def jobs(self) -> ClusterJobs: ...

    @property
    def schedules(self) -> Schedules: ...

    def failed(self, name: str, pipeline: str) -> None:
        """A Job of a pipeline whose one pod printed two lines, and ended with 3."""
        ...

    def odd(self, name: str) -> None:
        """A Job with a label that is no run's id."""
        ...

    def schedule(self, pipeline: str, *, suspended: bool = False, fires: bool = True) -> None: ...

    def forget_schedule(self, pipeline: str) -> None: ...

    def close(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.jobs, self.schedules = MemoryClusterJobs(), MemorySchedules()

    def failed(self, name: str, pipeline: str) -> None:
        uid = UUID(int=hash(name) & (2**64 - 1))
        death = DeathCertificate(cause=FailureCause.EXIT_CODE, exit_code=3, pod=f"{name}-x", node="node")
        pod = SeenPod(
            uid=UUID(int=uid.int + 1),
            name=f"{name}-x",
            node="node",
            created_at=LONG_AGO,
            started_at=LONG_AGO,
            ended_at=LONG_AGO,
            over=True,
            certificate=death,
        )
        self.jobs.logs[pod.uid], self.jobs.events[pod.uid] = ("one", "two"), ("Scheduled: to node",)
        self.jobs.show(
            SeenJob(
                uid=uid,
                name=name,
                namespace="runs",
                tenant="default",
                pipeline=pipeline,
                run_id=uid,
                created_at=LONG_AGO,
                supervised=False,
                phase=Phase.FAILED,
                pods=(pod,),
            )
        )

    def odd(self, name: str) -> None:
        self.jobs.bad.append(Quarantined(kind="Job", name=name, uid="u", why="its label is no run's id"))

    def schedule(self, pipeline: str, *, suspended: bool = False, fires: bool = True) -> None:
        self.schedules.show(
            SeenSchedule(
                namespace="runs", name=pipeline, tenant="default", pipeline=pipeline, suspended=suspended, fires=fires
            )
        )

    def forget_schedule(self, pipeline: str) -> None:
        del self.schedules.shown[pipeline]

    def close(self) -> None:
        pass


@pytest.fixture(params=["memory", pytest.param("kubernetes", marks=pytest.mark.cluster)])
def world(request: pytest.FixtureRequest, loop: asyncio.Runner) -> Iterator[World]:
    world: World
    if request.param == "memory":
        world = MemoryWorld()
    else:
        from tests.support.kube.shown import KubernetesWorld

        request.getfixturevalue("node")
        plane, namespace = request.getfixturevalue("control_plane"), request.getfixturevalue("namespace")
        world = KubernetesWorld(loop, plane, namespace)
    yield world
    world.close()


def seen(world: World, loop: asyncio.Runner) -> dict[str, SeenJob]:
    return {job.name: job for job in loop.run(world.jobs.jobs())}


def test_a_job_is_shown_with_its_pods_and_their_end(world: World, loop: asyncio.Runner) -> None:
    world.failed("first", "sales")
    job = seen(world, loop)["first"]
    assert (job.pipeline, job.phase, job.run_id, job.asked_for, job.slot) == (
        "sales",
        Phase.FAILED,
        job.uid,
        False,
        None,
    )
    assert not job.supervised and not job.deleting
    (pod,) = job.pods
    assert pod.over and not pod.running and pod.started_at is not None
    assert pod.certificate is not None
    assert (pod.certificate.cause, pod.certificate.exit_code) == (FailureCause.EXIT_CODE, 3)
    assert pod.certificate.pod == pod.name and pod.certificate.node == pod.node


def test_its_last_lines_and_what_was_said_of_it(world: World, loop: asyncio.Runner) -> None:
    world.failed("first", "sales")
    job = seen(world, loop)["first"]
    assert loop.run(world.jobs.log_tail(job, job.pods[0])) == ("one", "two")
    wait_for(lambda: loop.run(world.jobs.told(job, job.pods[0])), "an event of the pod", timeout=10)
    strange = msgspec.structs.replace(job.pods[0], uid=UUID(int=5), name="never-there")
    assert loop.run(world.jobs.log_tail(job, strange)) == loop.run(world.jobs.told(job, strange)) == ()


def test_what_is_removed_goes_and_nothing_else(world: World, loop: asyncio.Runner) -> None:
    world.failed("first", "sales")
    world.failed("second", "sales")
    job = seen(world, loop)["first"]
    another = msgspec.structs.replace(seen(world, loop)["second"], uid=UUID(int=5))
    loop.run(world.jobs.remove(job))
    loop.run(world.jobs.remove(job))
    loop.run(world.jobs.remove(another))  # of that name, and not it
    wait_for(lambda: set(seen(world, loop)) == {"second"}, "the Job to go", timeout=30)


def test_a9_what_cannot_be_read_is_named_and_the_others_are_shown(world: World, loop: asyncio.Runner) -> None:
    world.odd("odd")
    world.failed("first", "sales")
    assert set(seen(world, loop)) == {"first"}
    (bad,) = loop.run(world.jobs.quarantined())
    assert (bad.kind, bad.name) == ("Job", "odd")
    assert "no run's id" in bad.why


def schedules(world: World, loop: asyncio.Runner) -> dict[str, tuple[bool, bool, bool]]:
    return {one.name: (one.suspended, one.ours, one.fires) for one in loop.run(world.schedules.schedules())}


def test_a_schedule_is_held_as_ours_and_released(world: World, loop: asyncio.Runner) -> None:
    world.schedule("sales")
    world.schedule("stock", suspended=True)
    world.schedule("asked", suspended=True, fires=False)
    others = {"stock": (True, False, True), "asked": (True, False, False)}
    assert schedules(world, loop) == others | {"sales": (False, False, True)}
    (sales,) = [one for one in loop.run(world.schedules.schedules()) if one.name == "sales"]
    loop.run(world.schedules.hold(sales))
    assert schedules(world, loop) == others | {"sales": (True, True, True)}
    loop.run(world.schedules.release(sales))
    assert schedules(world, loop) == others | {"sales": (False, False, True)}
    world.forget_schedule("sales")
    loop.run(world.schedules.hold(sales))
    loop.run(world.schedules.release(sales))
