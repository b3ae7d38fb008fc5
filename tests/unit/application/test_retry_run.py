"""A retry is a new run of the same work, and says where it is not quite the same."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.support.builders import LONG_AGO, a_claim, a_run, failed, succeeded

from kubescribe import Context, pipeline
from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.run_requests import MemoryRunRequests
from kubescribe.application.authoring.registry import Registry
from kubescribe.application.launch_run import LaunchRun
from kubescribe.application.retry_run import Retried, RetryRun
from kubescribe.domain import run as steps
from kubescribe.domain.errors import BadParameters, KeyReused, PipelineNotFound, RetryRefused, RunNotFound
from kubescribe.domain.failure import SkipReason
from kubescribe.domain.run import Evidence, Trigger
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_status import RunStatus

OLD, ATTEMPT = UUID(int=1), UUID(int=11)
FIRST_DAY = date(2026, 3, 1)


@pipeline
def flights(run: Context, day: int, until: date = FIRST_DAY) -> None:
    """A pipeline of today."""


class World:
    def __init__(self, loop: asyncio.Runner) -> None:
        self.loop = loop
        self.database = MemoryRunLogDatabase()
        self.run_log, self.log = MemoryRunLog(self.database), MemoryAttemptLog(self.database)
        requests, self.launcher = MemoryRunRequests(self.database), MemoryLauncher()
        launch = LaunchRun(run_log=self.run_log, requests=requests, launcher=self.launcher)
        ids = MemoryIds()
        ids.new()  # OLD's
        self.retry_run = RetryRun(run_log=self.run_log, requests=requests, launch=launch, ids=ids)
        self.registry = Registry([flights])

    def ended(self, outcome: Any = None, **changes: Any) -> None:
        self.loop.run(self.run_log.create(a_run(OLD, code_version="then", **changes)))
        tenant, mode = changes.get("tenant", "default"), changes.get("mode", RunMode.PUBLISH)
        claim = a_claim(OLD, ATTEMPT, code_version="then", tenant=tenant, mode=mode)
        self.loop.run(self.log.claim(msgspec.structs.replace(claim, parameters=None)))
        self.loop.run(self.log.finish(ATTEMPT, outcome or failed()))

    def retry(self, **how: Any) -> Retried:
        return self.loop.run(self.retry_run(OLD, self.registry.get, **{"actor": "user:bob", **how}))


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


def test_it_is_a_new_run_of_the_same_work(world: World) -> None:
    world.ended(slot=LONG_AGO, mode=RunMode.REHEARSE)
    run = world.retry(reason="the disk has space again").run
    assert run.id != OLD and run.retry_of == OLD and run.trigger is Trigger.RETRY
    assert (run.slot, run.mode, run.actor, run.reason) == (
        LONG_AGO,
        RunMode.REHEARSE,
        "user:bob",
        "the disk has space again",
    )
    assert run.parameters == {"day": 1, "until": "2026-03-01"}, "what came since has its default"
    assert world.launcher.launched == [run.id]
    assert world.database.runs[OLD].status is RunStatus.FAILED


def test_code_that_has_changed_is_noted(world: World) -> None:
    world.ended()
    retried = world.retry()
    now = flights.pipeline.code_version
    assert retried.run.code_version == now
    assert retried.note == f"the code is not the same: run {OLD} had then, this one runs {now}"
    (created,) = [event for event in world.database.events if event.run_id == retried.run.id]
    assert created.data["code_version_of_retried"] == "then" and created.data["code_version"] == now
    assert created.data["retry_of"] == str(OLD)


def test_the_same_code_is_not(world: World) -> None:
    world.ended()
    world.registry = Registry()
    same: Any = type("Same", (), {})()
    same.pipeline = msgspec.structs.replace(flights.pipeline, code_version="then")
    same.parameters = flights.parameters
    assert world.loop.run(world.retry_run(OLD, lambda name: same, actor="a")).note is None


def test_code_that_changed_on_the_way_to_its_supervisor_is_on_record(world: World) -> None:
    world.ended()
    run = world.retry().run
    claim = a_claim(run.id, UUID(int=12), parameters=run.parameters, code_version="newer")
    taken = world.loop.run(world.log.claim(claim)).run
    assert taken.code_version == "newer"
    assert world.database.events[-1].data["code_version_asked_for"] == run.code_version


@pytest.mark.parametrize("end", ["lost", "skipped", "cancelled"])
def test_whatever_did_not_succeed_can_be_retried(end: str, world: World) -> None:
    world.loop.run(world.run_log.create(a_run(OLD)))

    def step(run: Any, at: Any) -> Any:
        if end == "skipped":
            return steps.skipped(
                run, actor="a", at=at, evidence=Evidence.EXIT, reason=SkipReason.SUPERSEDED, message=None
            )
        return steps.lost(run, actor="a", at=at, evidence=Evidence.PROCESS_GONE, message=None)

    if end == "cancelled":
        asked = steps.cancelling
        world.loop.run(
            world.run_log.move(OLD, RunStatus.PENDING, lambda run, at: asked(run, actor="a", at=at, reason=None))
        )
        done = steps.cancelled
        world.loop.run(
            world.run_log.move(
                OLD,
                RunStatus.CANCELLING,
                lambda run, at: done(run, actor="a", at=at, evidence=Evidence.NO_ATTEMPT, message=None),
            )
        )
    else:
        world.loop.run(world.run_log.move(OLD, RunStatus.PENDING, step))
    assert world.retry().run.retry_of == OLD


def test_one_that_succeeded_is_refused_with_what_to_do(world: World) -> None:
    world.ended(succeeded())
    with pytest.raises(RetryRefused, match="has succeeded; to run it once more: `kubescribe trigger flights`"):
        world.retry()


def test_one_that_goes_on_is_refused(world: World) -> None:
    world.loop.run(world.run_log.create(a_run(OLD)))
    with pytest.raises(RetryRefused, match="it is pending; wait for its end, or `kubescribe cancel"):
        world.retry()


def test_a_command_is_refused(world: World) -> None:
    command = {"command": ["true"]}
    world.loop.run(world.log.claim(a_claim(OLD, ATTEMPT, pipeline="true", parameters=command)))
    world.loop.run(world.log.finish(ATTEMPT, failed()))
    with pytest.raises(RetryRefused, match="kubescribe exec"):
        world.retry()


def test_a_pipeline_or_parameter_that_went_is_refused(world: World) -> None:
    world.ended(parameters={"day": 1, "gone": True})
    with pytest.raises(BadParameters, match="there is no parameter gone"):
        world.retry()
    world.registry = Registry()
    with pytest.raises(PipelineNotFound):
        world.retry()


def test_under_a_key_it_is_one_run(world: World) -> None:
    world.ended()
    first, again = world.retry(key="k"), world.retry(key="k")
    assert (first.new, again.new) == (True, False) and first.run.id == again.run.id
    with pytest.raises(KeyReused):
        world.retry(key="k", reason="another")
    assert len(world.database.runs) == 2


def test_another_tenants_run_is_not_there(world: World) -> None:
    world.ended(tenant="other")
    with pytest.raises(RunNotFound):
        world.retry()
    assert world.retry(tenant="other").run.tenant == "other"
