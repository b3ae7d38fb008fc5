"""RunLog's server crashes at every step."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import STEPS
from tests.support.world import World

pytestmark = pytest.mark.faults

AWAY = ("attempt.fenced", "worker.read", "attempt.published", "attempt.recorded")


@pytest.mark.parametrize("step", STEPS)
def test_the_run_goes_on(world: World, step: str) -> None:
    play(world, Fault(step, Action.CRASH_RUNLOG))


@pytest.mark.parametrize("step", AWAY)
def test_the_record_follows_when_it_is_back(world: World, step: str) -> None:
    play(world, Fault(step, Action.AWAY_RUNLOG))
