"""SIGKILL to the supervisor, and another one takes the run at once."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import CLAIMED
from tests.support.world import World

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("step", ["attempt.fenced", *CLAIMED])
def test_the_next_one_succeeds(world: World, step: str) -> None:
    play(world, Fault(step, Action.KILL_AND_RETRY))
