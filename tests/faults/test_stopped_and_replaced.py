"""SIGSTOP to supervisor and worker, another supervisor does the run, SIGCONT."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import CLAIMED
from tests.support.world import World

pytestmark = pytest.mark.faults

LATE = ("attempt.claimed", "worker.read", "worker.returned", "attempt.checked", "publish.pointed")


@pytest.mark.parametrize("step", ["attempt.fenced", *CLAIMED])
def test_the_one_that_wakes_changes_nothing(world: World, step: str) -> None:
    play(world, Fault(step, Action.STOP_AND_RETRY))


@pytest.mark.parametrize("step", LATE)
def test_nor_after_it_was_given_up(world: World, step: str) -> None:
    play(world, Fault(step, Action.STOP_AND_RETRY_LATE))
