"""A run that was accepted is launched once, whatever dies between any two steps."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.support.builders import a_claim

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.run_requests import MemoryRunRequests
from kubescribe.application import failpoints
from kubescribe.application.failpoints import FailpointError
from kubescribe.application.launch_run import LaunchRun
from kubescribe.application.ports.run_requests import Accepted
from kubescribe.application.reconcile_runs import ReconcileRuns
from kubescribe.application.trigger_run import TriggerRequest, TriggerRun
from kubescribe.domain.errors import BadRequestKey, DatabaseUnavailable, KeyReused
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.launch import Launch
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.run import Run, Trigger
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_status import RunStatus

FLIGHTS = Pipeline(name="flights", code_version="c0de", start_deadline=60, reports=("delays",))
ASKED = TriggerRequest(pipeline=FLIGHTS, parameters={"day": 1, "to": {"b": 1, "a": 2}}, actor="user:ann", key="k1")
STEPS = ("trigger.accepted", "launch.started", "launch.told")


class World:
    def __init__(self, loop: asyncio.Runner, limit: int | None = None) -> None:
        self.loop = loop
        self.database = MemoryRunLogDatabase()
        self.launcher = MemoryLauncher(limit)
        self.run_log = MemoryRunLog(self.database)
        requests = MemoryRunRequests(self.database)
        self.launch = LaunchRun(run_log=self.run_log, requests=requests, launcher=self.launcher)
        self.trigger = TriggerRun(requests=requests, launch=self.launch, ids=MemoryIds())
        self.reconcile_runs = ReconcileRuns(
            run_log=self.run_log, launcher=self.launcher, fences=None, publisher=None, launch=self.launch
        )

    def ask(self, **changes: Any) -> Accepted:
        return self.loop.run(self.trigger(msgspec.structs.replace(ASKED, **changes)))

    def reconcile(self) -> None:
        assert self.loop.run(self.reconcile_runs()).problems == ()

    @property
    def run(self) -> Run:
        (run,) = self.database.runs.values()
        return run


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


def test_it_is_on_record_as_it_was_asked_for_and_launched(world: World) -> None:
    accepted = world.ask(reason="audit", trigger=Trigger.API, mode=RunMode.REHEARSE)
    run = accepted.run
    assert accepted.new and run == world.run
    assert (run.pipeline, run.parameters, run.actor, run.reason) == ("flights", ASKED.parameters, "user:ann", "audit")
    assert (run.trigger, run.mode, run.code_version) == (Trigger.API, RunMode.REHEARSE, "c0de")
    assert (run.status, run.launch) == (RunStatus.PENDING, Launch.STARTED)
    assert world.launcher.launched == [run.id]
    assert not run.may_publish, "a rehearsal has nothing to do with the report database's ledger"
    assert world.ask(key=None).run.may_publish


def test_asked_again_it_is_the_same_run_and_no_second_launch(world: World) -> None:
    first = world.ask()
    again = world.ask(parameters={"to": {"a": 2, "b": 1}, "day": 1}, actor="user:bob")
    assert not again.new and again.run.id == first.run.id
    assert world.launcher.launched == [first.run.id]


@pytest.mark.parametrize(
    "other",
    [
        {"parameters": {"day": 2}},
        {"parameters": {"day": "1", "to": {"b": 1, "a": 2}}},
        {"reason": "because"},
        {"mode": RunMode.REHEARSE},
        {"pipeline": msgspec.structs.replace(FLIGHTS, name="trains")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_request_under_the_key_is_refused(other: dict[str, Any], world: World) -> None:
    run_id = world.ask().run.id
    with pytest.raises(KeyReused, match=str(run_id)):
        world.ask(**other)
    assert world.run.id == run_id


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ü", "\0"])
def test_a_key_that_cannot_be_kept_is_refused_before_anything_is(key: str, world: World) -> None:
    with pytest.raises(BadRequestKey):
        world.ask(key=key)
    assert world.database.runs == {}


def test_without_a_key_each_is_a_run_of_its_own(world: World) -> None:
    assert world.ask(key=None).run.id != world.ask(key=None).run.id


@pytest.mark.parametrize("step", STEPS)
def test_whatever_step_it_dies_at_it_is_launched_once(step: str, world: World) -> None:
    with failpoints.armed(f"{step}=raise"), pytest.raises(FailpointError):
        world.ask()
    for _ in range(2):
        world.reconcile()
    assert world.launcher.launched == [world.run.id]
    assert (world.run.status, world.run.launch) == (RunStatus.PENDING, Launch.STARTED)
    assert not world.ask().new


def test_a_pass_and_the_trigger_at_once_launch_it_once(world: World) -> None:
    with failpoints.armed("trigger.accepted=raise"), pytest.raises(FailpointError):
        world.ask()

    async def at_once() -> None:
        await asyncio.gather(*(world.launch(world.run, actor="a") for _ in range(5)), world.reconcile_runs())

    world.loop.run(at_once())
    assert world.launcher.launched == [world.run.id]


def test_a_launch_that_may_be_refused_is_tried_until_its_start_deadline(world: World) -> None:
    world.launcher.doubts = "a policy refuses it, or has not heard of it"
    run = world.ask().run
    assert (run.status, run.launch) == (RunStatus.PENDING, Launch.DUE)
    assert world.launcher.doubts in (run.message or "")
    world.database.advance(59)
    world.reconcile()
    assert (world.run.status, world.run.launch) == (RunStatus.PENDING, Launch.DUE)
    world.database.advance(2)
    world.reconcile()
    assert (world.run.status, world.run.cause) == (RunStatus.FAILED, FailureCause.CONFIG_ERROR)
    assert world.launcher.doubts in (world.run.message or "")


def test_a_launch_that_was_in_doubt_and_is_taken_late_is_taken(world: World) -> None:
    world.launcher.doubts = "a policy refuses it, or has not heard of it"
    world.ask()
    world.database.advance(61)
    world.launcher.doubts = None
    world.reconcile()
    assert (world.run.status, world.run.launch) == (RunStatus.PENDING, Launch.STARTED)


def test_a_launch_that_is_refused_ends_it_failed_with_the_cause(world: World) -> None:
    world.launcher.refuses = "the folder is read-only"
    run = world.ask().run
    assert (run.status, run.cause) == (RunStatus.FAILED, FailureCause.CONFIG_ERROR)
    assert run.message is not None and "the folder is read-only" in run.message
    assert [notice.kind for notice in world.database.outbox] == ["incident.opened"]


def test_where_there_is_no_room_it_waits_and_says_why(loop: asyncio.Runner) -> None:
    world = World(loop, limit=1)
    first, second = world.ask(key=None).run, world.ask(key=None).run
    assert (second.status, second.launch) == (RunStatus.PENDING, Launch.DUE)
    assert second.message is not None and "1 supervisors are at work" in second.message
    world.database.advance(3600)  # it waits in the queue: that is not its start deadline
    world.loop.run(MemoryAttemptLog(world.database).claim(a_claim(first.id, MemoryIds().new(), parameters=None)))
    world.reconcile()
    assert world.launcher.launched == [first.id]
    world.launcher.leave(first.id)
    world.reconcile()
    assert world.launcher.launched == [first.id, second.id]
    now = world.database.runs[second.id]
    assert (now.launch, now.message) == (Launch.STARTED, None)


def test_a_queue_is_not_tried_further_once_there_is_no_room(loop: asyncio.Runner) -> None:
    world = World(loop, limit=1)
    first, second, *others = [world.ask(key=None).run for _ in range(5)]
    world.loop.run(MemoryAttemptLog(world.database).claim(a_claim(first.id, MemoryIds().new(), parameters=None)))
    world.launcher.asked.clear()
    told = dict(world.database.runs)
    world.reconcile()
    assert world.launcher.asked == [second.id]
    assert world.database.runs == told, "what is on record already was written again"
    world.launcher.leave(first.id)
    world.reconcile()
    assert world.launcher.launched == [first.id, second.id]
    assert {world.database.runs[other.id].launch for other in others} == {Launch.DUE}


def test_runlog_going_away_after_it_was_accepted_does_not_refuse_it(world: World) -> None:
    launch = world.launcher.launch

    async def launched_and_away(run: Run) -> None:
        await launch(run)
        world.database.available = False

    world.launcher.launch = launched_and_away  # type: ignore[method-assign]
    accepted = world.ask()
    assert accepted.new and accepted.run.launch is Launch.DUE
    with pytest.raises(DatabaseUnavailable):
        world.ask()
    world.database.available = True
    world.launcher.launch = launch  # type: ignore[method-assign]
    world.reconcile()
    assert world.launcher.launched == [accepted.run.id] and world.run.launch is Launch.STARTED


def test_a_supervisor_that_died_before_it_took_its_run_gets_a_successor_until_the_deadline(world: World) -> None:
    run = world.ask().run
    world.launcher.leave(run.id)
    world.reconcile()
    assert world.launcher.launched == [run.id, run.id]
    world.launcher.leave(run.id)
    world.database.advance(61)
    world.reconcile()
    assert (world.run.status, world.run.cause) == (RunStatus.FAILED, FailureCause.START_DEADLINE)
    assert world.run.message == (
        "no attempt took it before its start deadline: its supervisor ended before it could take the run"
    )
