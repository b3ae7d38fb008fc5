"""What the API has accepted is never lost, whatever dies next; and it is done once."""

from __future__ import annotations

import pytest

from tests.support import api_faults
from tests.support.world import World

pytestmark = pytest.mark.faults


def test_killed_at_any_moment_under_a_stream_of_triggers(world: World) -> None:
    stories = api_faults.killed_under_triggers(world, kills=2, triggers=8)
    assert {story.status for story in stories.values()} == {"succeeded"}


@pytest.mark.parametrize("step", api_faults.LAUNCHING)
def test_killed_at_each_step_of_a_launch(world: World, step: str) -> None:
    assert api_faults.killed_at(world, step).status == "succeeded"


def test_runlog_crashes_under_triggers_and_cancels(world: World) -> None:
    api_faults.runlog_crashes(world, crashes=2, triggers=8, cancelling=0.4)


@pytest.mark.parametrize("deliver", [True, False], ids=["the answer is lost", "the commit is lost"])
def test_cut_at_a_commit(world: World, deliver: bool) -> None:
    stories = api_faults.commits_are_cut(world, deliver=deliver, cuts=3)
    assert {story.status for story in stories.values()} == {"succeeded"}


def test_a_cancel_that_races_the_end_of_its_run(world: World) -> None:
    stories = api_faults.cancel_races_the_end(world, runs=5)
    assert {story.status for story in stories.values()} <= {"cancelled", "succeeded"}


@pytest.mark.parametrize("step", ["cancel.asked", "cancel.closed", "cancel.sessions_gone"])
def test_killed_between_a_cancel_and_its_end(world: World, step: str) -> None:
    api_faults.killed_while_cancelling(world, step)


def test_a_launch_that_is_refused_ends_the_run_with_the_cause(world: World) -> None:
    story = api_faults.launcher_that_cannot(world)
    assert story.run is not None
    assert (story.status, story.run["cause"], story.attempts) == ("failed", "config_error", [])
    assert "Not a directory" in story.run["message"] or "File exists" in story.run["message"]


def test_a_supervisor_that_cannot_begin_ends_the_run_with_the_cause(world: World) -> None:
    story = api_faults.supervisors_that_cannot_begin(world)
    assert story.run is not None
    assert story.status == "failed"
    assert "gone_later" in story.run["message"]
