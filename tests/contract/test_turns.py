"""Runs of a pipeline that allows one at a time: decided where they are claimed, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain.concurrency import Concurrency
from kubescribe.domain.errors import PipelineBusy
from kubescribe.domain.failure import SkipReason
from kubescribe.domain.run import Run
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import a_claim, a_run, failed, succeeded
from tests.support.runlogs import World

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
ONE_AT_A_TIME = [Concurrency.FORBID, Concurrency.QUEUE, Concurrency.REPLACE]


def attempt_of(run_id: UUID) -> UUID:
    return UUID(int=run_id.int + 100)


def claim(world: World, run_id: UUID, concurrency: Concurrency, ago: float = 0.0, **changes: Any) -> None:
    asked = a_claim(run_id, attempt_of(run_id), concurrency=concurrency, **changes)
    world.run(world.attempt_log.claim(asked, ago=ago))


def run(world: World, run_id: UUID) -> Run:
    return world.run(world.run_log.get(run_id))


def finish(world: World, run_id: UUID) -> None:
    world.run(world.attempt_log.finish(attempt_of(run_id), succeeded()))


def refused(world: World, run_id: UUID, concurrency: Concurrency, **changes: Any) -> PipelineBusy:
    with pytest.raises(PipelineBusy) as busy:
        claim(world, run_id, concurrency, **changes)
    return busy.value


@pytest.mark.parametrize("concurrency", ONE_AT_A_TIME)
def test_one_by_itself_is_taken(concurrency: Concurrency, world: World) -> None:
    claim(world, FIRST, concurrency)
    finish(world, FIRST)
    claim(world, SECOND, concurrency)
    assert run(world, SECOND).status is RunStatus.RUNNING


def test_where_it_is_allowed_two_are_at_work(world: World) -> None:
    claim(world, FIRST, Concurrency.ALLOW)
    claim(world, SECOND, Concurrency.ALLOW)
    assert {run(world, one).status for one in (FIRST, SECOND)} == {RunStatus.RUNNING}


def test_where_it_is_forbidden_the_later_one_is_skipped_and_says_for_which(world: World) -> None:
    claim(world, FIRST, Concurrency.FORBID)
    busy = refused(world, SECOND, Concurrency.FORBID)
    later = run(world, SECOND)
    assert busy.skipped and busy.others == (FIRST,)
    assert (later.status, later.skip_reason, later.attempts) == (RunStatus.SKIPPED, SkipReason.CONCURRENCY, 0)
    assert str(FIRST) in (later.message or "")
    assert run(world, FIRST).status is RunStatus.RUNNING
    assert world.outbox() == [], "a skip is no failure"


def test_an_accepted_run_is_skipped_too(world: World) -> None:
    claim(world, FIRST, Concurrency.FORBID)
    world.run(world.run_log.create(a_run(SECOND)))
    refused(world, SECOND, Concurrency.FORBID)
    assert run(world, SECOND).status is RunStatus.SKIPPED


@pytest.mark.parametrize("concurrency", ONE_AT_A_TIME)
def test_another_pipeline_or_tenant_is_nobodys_concern(concurrency: Concurrency, world: World) -> None:
    claim(world, FIRST, concurrency)
    claim(world, SECOND, concurrency, pipeline="weather")
    claim(world, THIRD, concurrency, tenant="other")
    assert run(world, SECOND).status is RunStatus.RUNNING


@pytest.mark.parametrize("concurrency", ONE_AT_A_TIME)
def test_between_two_attempts_a_run_is_at_work(concurrency: Concurrency, world: World) -> None:
    claim(world, FIRST, concurrency)
    world.run(world.attempt_log.finish(attempt_of(FIRST), failed(status=RunStatus.PENDING)))
    refused(world, SECOND, concurrency)
    if concurrency is Concurrency.REPLACE:
        assert run(world, FIRST).status is RunStatus.CANCELLING
        return
    again = a_claim(FIRST, UUID(int=777), concurrency=concurrency)
    assert world.run(world.attempt_log.claim(again)).newest, "its own next attempt waits for nobody"


def test_in_a_queue_the_later_one_waits_and_then_has_its_turn(world: World) -> None:
    claim(world, FIRST, Concurrency.QUEUE)
    assert not refused(world, SECOND, Concurrency.QUEUE).skipped
    waiting = run(world, SECOND)
    assert (waiting.status, waiting.attempts) == (RunStatus.PENDING, 0)
    assert waiting.start_deadline_at is not None, "should its supervisor die, somebody ends it"
    finish(world, FIRST)
    claim(world, SECOND, Concurrency.QUEUE)
    assert run(world, SECOND).status is RunStatus.RUNNING


def test_in_a_queue_the_one_that_waits_for_longer_is_first(world: World) -> None:
    claim(world, FIRST, Concurrency.QUEUE)
    refused(world, SECOND, Concurrency.QUEUE)
    refused(world, THIRD, Concurrency.QUEUE)
    finish(world, FIRST)
    assert refused(world, THIRD, Concurrency.QUEUE).others == (SECOND,)
    claim(world, SECOND, Concurrency.QUEUE)


def test_who_has_waited_past_its_deadline_keeps_nobody_back(world: World) -> None:
    claim(world, FIRST, Concurrency.QUEUE)
    refused(world, SECOND, Concurrency.QUEUE, start_deadline=60.0)
    refused(world, THIRD, Concurrency.QUEUE, start_deadline=600.0)
    finish(world, FIRST)
    world.age(120)
    claim(world, THIRD, Concurrency.QUEUE)


def test_what_is_replaced_is_cancelled_and_what_replaces_it_waits_until_it_is_gone(world: World) -> None:
    claim(world, FIRST, Concurrency.REPLACE)
    assert refused(world, SECOND, Concurrency.REPLACE).others == (FIRST,)
    earlier = run(world, FIRST)
    assert earlier.status is RunStatus.CANCELLING
    assert str(SECOND) in (earlier.message or "")
    refused(world, SECOND, Concurrency.REPLACE)
    assert run(world, FIRST) == earlier
    world.run(world.attempt_log.finish(attempt_of(FIRST), succeeded(published=True)))
    claim(world, SECOND, Concurrency.REPLACE)


def test_what_is_told_late_has_worked_and_asks_nobody(world: World) -> None:
    claim(world, FIRST, Concurrency.FORBID)
    claim(world, SECOND, Concurrency.FORBID, ago=5.0)
    assert run(world, SECOND).status is RunStatus.RUNNING


@pytest.mark.parametrize("concurrency", ONE_AT_A_TIME)
def test_i17_of_any_number_at_once_one_is_at_work(concurrency: Concurrency, world: World) -> None:
    several = [UUID(int=number) for number in range(1, 9)]
    logs = [world.another() for _ in several]

    async def one(log: Any, run_id: UUID) -> bool:
        try:
            await log.claim(a_claim(run_id, attempt_of(run_id), concurrency=concurrency))
        except PipelineBusy:
            return False
        return True

    async def all_at_once() -> list[bool]:
        return list(await asyncio.gather(*map(one, logs, several)))

    assert world.run(all_at_once()).count(True) == 1
    page = world.run(world.run_log.find(RunFilter(statuses=(RunStatus.RUNNING, RunStatus.CANCELLING))))
    assert len(page.runs) == 1
