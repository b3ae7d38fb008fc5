"""What a cluster shows, and what RunLog makes of it; and which Jobs are cleared away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.cluster_jobs import MemoryClusterJobs
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.job_log import MemoryJobLog
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.application.clear_jobs import ClearJobs
from kubescribe.application.observe_jobs import ObserveJobs
from kubescribe.application.ports.cluster_jobs import Phase, Quarantined, SeenJob, SeenPod
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.errors import ClusterUnavailable
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Run, Trigger
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.summary import Summary

JOB, POD, SECOND = UUID(int=1), UUID(int=11), UUID(int=12)
SLOT = datetime(2026, 11, 22, 5, 15, tzinfo=UTC)


class World:
    def __init__(self, loop: asyncio.Runner) -> None:
        self.loop = loop
        self.database = MemoryRunLogDatabase()
        self.cluster = MemoryClusterJobs()
        self.run_log, self.job_log = MemoryRunLog(self.database), MemoryJobLog(self.database)
        self.observe = self.fresh()

    def fresh(self) -> ObserveJobs:
        """Of a process that has just started, and remembers nothing."""
        return ObserveJobs(
            jobs=self.cluster,
            job_log=self.job_log,
            run_log=self.run_log,
            attempt_log=MemoryAttemptLog(self.database),
        )

    def look(self) -> tuple[str, ...]:
        return self.loop.run(self.observe())

    def run(self, run_id: UUID = JOB) -> Run:
        return self.database.runs[run_id]

    def state(self) -> str:
        return repr((self.database.runs, self.database.attempts, self.database.events))


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


def a_job(**changes: Any) -> SeenJob:
    job = SeenJob(
        uid=JOB,
        name="sales-29",
        namespace="runs",
        tenant="default",
        pipeline="sales",
        run_id=JOB,
        slot=SLOT,
        created_at=SLOT,
    )
    return msgspec.structs.replace(job, **changes)


def a_pod(uid: UUID = POD, cause: FailureCause | None = None, **changes: Any) -> SeenPod:
    """One that is over."""
    pod = SeenPod(
        uid=uid,
        name=f"sales-29-{uid.int}",
        node="node-1",
        created_at=SLOT,
        started_at=SLOT,
        ended_at=SLOT + timedelta(seconds=7),
        over=True,
        certificate=DeathCertificate(cause=cause, exit_code=0 if cause is None else 3, message="its word"),
    )
    return msgspec.structs.replace(pod, **changes)


def running(uid: UUID = POD) -> SeenPod:
    return a_pod(uid, running=True, over=False, ended_at=None, certificate=None)


def test_a_job_that_nobody_asked_for_is_a_run_also_without_a_pod(world: World) -> None:
    world.cluster.show(a_job())
    assert world.look() == ()
    run = world.run()
    assert (run.status, run.trigger, run.slot, run.actor) == (RunStatus.PENDING, Trigger.SCHEDULE, SLOT, "schedule")
    assert run.start_deadline_at == run.created_at + timedelta(seconds=300)


def test_one_made_by_hand_has_no_slot(world: World) -> None:
    world.cluster.show(a_job(slot=None))
    world.look()
    assert (world.run().trigger, world.run().actor) == (Trigger.MANUAL, "cluster")


def test_i25_whoever_looks_again_changes_nothing(world: World) -> None:
    world.cluster.show(a_job(phase=Phase.FAILED, pods=(a_pod(cause=FailureCause.OOM_KILLED),)))
    world.look()
    state = world.state()
    world.look()
    world.observe = world.fresh()
    world.look()
    assert world.state() == state


def test_a_supervised_pod_without_a_word_is_an_attempt_with_all_that_is_known(world: World) -> None:
    world.cluster.logs[POD], world.cluster.events[POD] = ("at work",), ("Killing: too much",)
    world.cluster.show(a_job(pods=(a_pod(cause=FailureCause.OOM_KILLED),)))
    world.look()
    death = world.database.attempts[POD].certificate
    assert death is not None
    assert (death.cause, death.log_tail, death.events) == (
        FailureCause.OOM_KILLED,
        ("at work",),
        ("Killing: too much",),
    )
    assert world.run().status is RunStatus.PENDING, "the verdict is not given here"


def test_what_its_supervisor_left_is_its_certificate(world: World) -> None:
    said = Summary(
        run_id=JOB,
        attempt_id=POD,
        pipeline="sales",
        status=RunStatus.FAILED,
        exit_code=1,
        cause=FailureCause.ERROR,
        message="no rows",
        fence=4,
    )
    world.cluster.show(a_job(pods=(a_pod(cause=FailureCause.EXIT_CODE, summary=said),)))
    world.look()
    attempt = world.database.attempts[POD]
    assert attempt.certificate is not None
    assert (attempt.certificate.cause, attempt.certificate.message, attempt.fence) == (FailureCause.ERROR, "no rows", 4)


class TestWithoutASupervisor:
    def test_it_runs_as_long_as_its_pod(self, world: World) -> None:
        world.cluster.show(a_job(supervised=False, pods=(running(),)))
        world.look()
        assert (world.run().status, world.run().may_publish) == (RunStatus.RUNNING, False)
        world.database.advance(10 * 86400)
        (found,) = world.loop.run(world.run_log.open_runs())
        assert not found.lease_expired, "nobody has to renew it"

    @pytest.mark.parametrize(
        ("phase", "cause", "status"),
        [
            (Phase.COMPLETE, None, RunStatus.SUCCEEDED),
            (Phase.FAILED, FailureCause.EXIT_CODE, RunStatus.FAILED),
            (Phase.FAILED, None, RunStatus.FAILED),
        ],
    )
    def test_its_end_is_the_jobs(
        self, phase: Phase, cause: FailureCause | None, status: RunStatus, world: World
    ) -> None:
        world.cluster.logs[POD] = ("done",)
        world.cluster.show(a_job(supervised=False, phase=phase, pods=(a_pod(cause=cause),)))
        world.look()
        assert (world.run().status, world.run().duration) == (status, 7.0)
        death = world.database.attempts[POD].certificate
        assert death is not None and death.log_tail == ("done",)

    def test_between_two_pods_it_waits(self, world: World) -> None:
        first = a_pod(cause=FailureCause.EXIT_CODE)
        world.cluster.show(a_job(supervised=False, pods=(first,)))
        world.look()
        assert world.run().status is RunStatus.RUNNING, "its Job may say more"
        world.cluster.show(a_job(supervised=False, pods=(first, running(SECOND))))
        world.look()
        assert (world.run().status, world.run().attempt_id, world.run().attempts) == (RunStatus.RUNNING, SECOND, 2)
        death = world.database.attempts[POD].certificate
        assert death is not None and death.cause is FailureCause.EXIT_CODE

    def test_the_jobs_own_deadline_says_more_than_the_pods_signal(self, world: World) -> None:
        late = DeathCertificate(cause=FailureCause.RUN_DEADLINE, message="too long", reason="DeadlineExceeded")
        pods = (a_pod(cause=FailureCause.SIGNAL),)
        world.cluster.show(a_job(supervised=False, phase=Phase.FAILED, certificate=late, pods=pods))
        world.look()
        assert (world.run().cause, world.run().message) == (FailureCause.RUN_DEADLINE, "too long")


def test_a9_one_that_cannot_be_read_is_told_once_and_the_others_go_on(world: World) -> None:
    world.cluster.bad.append(Quarantined(kind="Job", name="odd", uid="u", why="no run's id"))
    world.cluster.show(a_job())
    for _ in range(2):
        assert world.look() == ("Job odd cannot be read, and is passed over: no run's id",)
    world.observe = world.fresh()
    world.look()
    assert [event.kind for event in world.database.events if event.kind.startswith("cluster")] == [
        "cluster.quarantined"
    ]
    assert world.run()


def test_one_that_is_anothers_run_is_a_problem_and_the_others_go_on(world: World) -> None:
    world.cluster.show(a_job(supervised=False, pods=(running(),)))
    world.look()
    world.cluster.show(a_job(uid=UUID(int=2), pipeline="stock", supervised=False, pods=(running(SECOND),)))
    world.cluster.show(a_job(uid=UUID(int=3), run_id=UUID(int=3)))
    (problem,) = world.look()
    assert "sales, not of stock" in problem
    assert world.run(UUID(int=3))


def test_a_cluster_that_does_not_answer_changes_nothing(world: World) -> None:
    world.cluster.show(a_job(pods=(running(),)))
    world.look()
    state = world.state()
    world.cluster.available = False
    with pytest.raises(ClusterUnavailable):
        world.look()
    assert world.state() == state


class TestClearing:
    def clear(self, world: World, keep: int = 2) -> int:
        return world.loop.run(ClearJobs(jobs=world.cluster, job_log=world.job_log, keep=keep)())

    def show(self, world: World, count: int, phase: Phase, pipeline: str = "sales", first: int = 100) -> list[UUID]:
        uids = [UUID(int=first + number) for number in range(count)]
        for number, uid in enumerate(uids):
            cause = None if phase is Phase.COMPLETE else FailureCause.EXIT_CODE
            job = a_job(uid=uid, run_id=uid, pipeline=pipeline, supervised=False, phase=phase)
            job = msgspec.structs.replace(
                job, created_at=SLOT + timedelta(minutes=number), pods=(a_pod(UUID(int=uid.int + 1000), cause),)
            )
            world.cluster.show(job)
        return uids

    def test_the_newest_of_each_kind_and_pipeline_stay(self, world: World) -> None:
        well, badly = self.show(world, 4, Phase.COMPLETE), self.show(world, 3, Phase.FAILED, first=200)
        other = self.show(world, 2, Phase.COMPLETE, "stock", first=300)
        world.look()
        assert self.clear(world) == 3
        assert set(world.cluster.shown) == {*well[2:], *badly[1:], *other}
        assert self.clear(world) == 0

    def test_what_has_no_verdict_stays_whatever_its_age(self, world: World) -> None:
        self.show(world, 4, Phase.COMPLETE)
        assert self.clear(world) == 0

    def test_what_is_at_work_or_being_deleted_is_let_be(self, world: World) -> None:
        for uid in self.show(world, 3, Phase.COMPLETE):
            world.look()
            world.cluster.show(msgspec.structs.replace(world.cluster.shown[uid], deleting=True))
        assert self.clear(world, keep=1) == 0
