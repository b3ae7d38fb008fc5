"""Faults around ``kubescribe exec``: a command without reports, judged by RunLog alone."""

from __future__ import annotations

import pytest

from tests.support.faults import COMMAND, Action, Fault, play
from tests.support.run_steps import COMMAND_STEPS
from tests.support.world import World

pytestmark = pytest.mark.faults

ACTIONS = (
    Action.KILL_SUPERVISOR,
    Action.KILL_AND_RETRY,
    Action.STOP_AND_RETRY,
    Action.STOP_AND_GIVE_UP,
    Action.CRASH_RUNLOG,
)
CLAIMED = COMMAND_STEPS[COMMAND_STEPS.index("attempt.claimed") :]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("step", COMMAND_STEPS)
def test_at_every_step(world: World, step: str, action: Action) -> None:
    play(world, Fault(step, action, COMMAND))


@pytest.mark.parametrize("step", CLAIMED)
def test_a_lost_command_stays_lost(world: World, step: str) -> None:
    play(world, Fault(step, Action.STOP_AND_LOSE, COMMAND))


def test_a_killed_command_has_failed(world: World) -> None:
    story = play(world, Fault("attempt.started", Action.KILL_WORKER_AT_LAST, ("sleep", "60")))
    assert (story.status, story.run and story.run["cause"]) == ("failed", "signal")
