"""Faults around ``run.copy``: rows are on their way from one database to the other, and nobody holds them."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import COPYING
from tests.support.world import COPIES, World

pytestmark = pytest.mark.faults

COPYING_REPORT = ("stage.created", "copy.block", "stage.copied", "worker.read")
COPYING_PRODUCTION = ("worker.first_read", "stage.created", "copy.block")
ACTIONS = (
    Action.KILL_SUPERVISOR,
    Action.KILL_BOTH,
    Action.KILL_AND_RETRY,
    Action.STOP_AND_RETRY,
    Action.CRASH_RUNLOG,
    Action.AWAY_RUNLOG,
)


def test_without_a_fault(world: World) -> None:
    assert play(world, Fault("copy.block", Action.NOTHING, work=COPIES)).status == "succeeded"


@pytest.mark.parametrize("step", COPYING)
def test_a_worker_that_is_killed_is_tried_again(world: World, step: str) -> None:
    play(world, Fault(step, Action.KILL_WORKER, work=COPIES))


def test_a_worker_that_is_killed_at_last_has_failed(world: World) -> None:
    story = play(world, Fault("copy.block", Action.KILL_WORKER_AT_LAST, work=COPIES))
    assert (story.status, story.run and story.run["cause"]) == ("failed", "signal")


@pytest.mark.parametrize("action", ACTIONS)
def test_amid_the_rows(world: World, action: Action) -> None:
    story = play(world, Fault("copy.block", action, work=COPIES))
    if action in (Action.KILL_SUPERVISOR, Action.KILL_BOTH):
        assert story.status == "lost"


@pytest.mark.parametrize("step", ["copy.block", "attempt.checked"])
@pytest.mark.parametrize("action", [Action.STOP_AND_GIVE_UP, Action.STOP_AND_LOSE])
def test_one_that_wakes_up_too_late_publishes_nothing(world: World, action: Action, step: str) -> None:
    assert not play(world, Fault(step, action, work=COPIES)).ledger


@pytest.mark.parametrize("step", COPYING_REPORT)
def test_a_report_database_that_crashes(world: World, step: str) -> None:
    play(world, Fault(step, Action.CRASH_REPORT, work=COPIES))


def test_a_report_database_that_stays_away(world: World) -> None:
    assert play(world, Fault("copy.block", Action.AWAY_REPORT, work=COPIES)).status == "failed"


@pytest.mark.parametrize("step", COPYING_PRODUCTION)
def test_a_production_database_that_crashes(world: World, step: str) -> None:
    play(world, Fault(step, Action.CRASH_PRODUCTION, work=COPIES))


@pytest.mark.parametrize("action", [Action.CUT_REPORT, Action.CUT_REPORT_BEFORE])
def test_a_commit_that_is_cut(world: World, action: Action) -> None:
    play(world, Fault("stage.recorded", action, work=COPIES))
    assert play(world, Fault("publish.pointed", action, work=COPIES)).status == "succeeded"
