"""Figures are the same whether they are counted or kept, and are never read from the runs that ended."""

from __future__ import annotations

import math
from uuid import UUID

import pytest

from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.figures import DURATION_BOUNDS, EndedRuns
from kubescribe.domain.outcome import Outcome
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import a_claim, a_run, failed, succeeded
from tests.support.runlogs import World


def end(world: World, outcome: Outcome, pipeline: str = "flights", tenant: str = "default") -> None:
    claim = a_claim(world.ids.new(), world.ids.new(), pipeline=pipeline, tenant=tenant)
    run = world.run(world.attempt_log.claim(claim)).run
    assert run.attempt_id is not None
    world.run(world.attempt_log.finish(run.attempt_id, outcome))


def test_nothing_has_happened(world: World) -> None:
    figures = world.run(world.figures.figures("default"))
    assert (figures.ended, figures.open, figures.lease_age, figures.failing) == ((), (), 0.0, 0)


def test_runs_are_counted_by_pipeline_end_and_cause(world: World) -> None:
    for seconds in (0.5, 1.0, 1.5, 61.0, 100_000.0):
        end(world, succeeded(duration=seconds))
    end(world, failed(FailureCause.ERROR, duration=2.0))
    end(world, failed(FailureCause.OOM_KILLED, duration=3.0))
    end(world, failed(FailureCause.OOM_KILLED, duration=4.0), "other")
    end(world, succeeded(duration=1.0), tenant="another")
    end(world, failed(status=RunStatus.PENDING))  # an attempt, and not the run's end
    figures = world.run(world.figures.figures("default"))
    by_kind = {(one.pipeline, one.status, one.cause): one for one in figures.ended}
    assert list(by_kind) == sorted(by_kind)
    assert {kind: one.runs for kind, one in by_kind.items()} == {
        ("flights", "failed", "error"): 1,
        ("flights", "failed", "oom_killed"): 1,
        ("flights", "succeeded", ""): 5,
        ("other", "failed", "oom_killed"): 1,
    }
    well = by_kind["flights", "succeeded", ""]
    assert well.seconds == pytest.approx(100_064.0)
    assert well.buckets == (2, 3, 3, 3, 4, 4, 4, 4, 4, 5)
    assert len(well.buckets) == len(DURATION_BOUNDS) + 1
    assert figures.failing == 2
    assert world.run(world.figures.figures("another")).ended == (
        EndedRuns(pipeline="flights", status="succeeded", cause="", runs=1, seconds=1.0, buckets=(1,) * 10),
    )


def test_no_duration_is_too_long_or_too_odd_to_be_recorded(world: World) -> None:
    for seconds in (1.5e308, 1.7e308, -1.5e308, -7.0, math.nan, math.inf, 2e9):
        end(world, succeeded(duration=seconds))
    (one,) = world.run(world.figures.figures("default")).ended
    assert one.runs == 7 and 0 <= one.seconds <= 7e9 and one.buckets[-1] <= 7
    end(world, succeeded(duration=1.0))
    (one,) = world.run(world.figures.figures("default")).ended
    assert one.runs == 8


def test_a_run_that_never_began_takes_no_time(world: World) -> None:
    from kubescribe.domain import run as steps
    from kubescribe.domain.run import Evidence

    run = world.run(world.run_log.create(a_run(world.ids.new())))
    world.run(
        world.run_log.move(
            run.id,
            RunStatus.PENDING,
            lambda now, at: steps.failed(
                now, actor="r", at=at, evidence=Evidence.DEADLINE, cause=FailureCause.START_DEADLINE, message=None
            ),
        )
    )
    (one,) = world.run(world.figures.figures("default")).ended
    assert (one.runs, one.seconds, one.buckets, one.cause) == (1, 0.0, (0,) * 10, "start_deadline")


def test_open_runs_say_how_long_they_are_so(world: World) -> None:
    world.run(world.run_log.create(a_run(world.ids.new())))
    world.age(100)
    world.run(world.run_log.create(a_run(world.ids.new())))
    attempt: UUID = world.ids.new()
    world.run(world.attempt_log.claim(a_claim(world.ids.new(), attempt, lease=60.0)))
    world.age(30)
    figures = world.run(world.figures.figures("default"))
    states = {one.status: one for one in figures.open}
    assert (states["pending"].runs, states["running"].runs) == (2, 1)
    assert 130 <= states["pending"].age < 190 and 30 <= states["running"].age < 90
    assert 30 <= figures.lease_age < 90
    world.run(world.attempt_log.finish(attempt, succeeded(certificate=DeathCertificate(), duration=1.0)))
    figures = world.run(world.figures.figures("default"))
    assert [one.status for one in figures.open] == ["pending"] and figures.lease_age == 0.0


def test_nothing_of_another_tenant_is_in_them(world: World) -> None:
    end(world, failed(FailureCause.ERROR), tenant="another")
    world.run(world.run_log.create(a_run(world.ids.new(), tenant="another")))
    world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new(), tenant="another", lease=60.0)))
    world.age(30)
    figures = world.run(world.figures.figures("default"))
    assert (figures.ended, figures.open, figures.lease_age, figures.failing) == ((), (), 0.0, 0)
    theirs = world.run(world.figures.figures("another"))
    assert (len(theirs.ended), len(theirs.open), theirs.failing) == (1, 2, 1) and theirs.lease_age >= 30


def test_two_ends_at_once_are_both_counted(world: World) -> None:
    import asyncio

    claims = [a_claim(world.ids.new(), world.ids.new()) for _ in range(20)]
    logs = [world.attempt_log, *(world.another() for _ in range(4))]
    for claim in claims:
        world.run(world.attempt_log.claim(claim))

    async def race() -> None:
        await asyncio.gather(
            *(logs[place % 5].finish(claim.attempt_id, succeeded(duration=2.0)) for place, claim in enumerate(claims))
        )

    world.run(race())
    (one,) = world.run(world.figures.figures("default")).ended
    assert (one.runs, one.seconds) == (20, 40.0)
