"""SIGKILL to the worker, at every step at which there is one."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import WITH_WORKER
from tests.support.world import World

pytestmark = pytest.mark.faults

LAST = ("attempt.started", "attempt.fenced", "worker.read", "stage.recorded", "worker.returned")


@pytest.mark.parametrize("step", WITH_WORKER)
def test_another_attempt_succeeds(world: World, step: str) -> None:
    play(world, Fault(step, Action.KILL_WORKER))


@pytest.mark.parametrize("step", LAST)
def test_the_last_attempt_fails_the_run(world: World, step: str) -> None:
    story = play(world, Fault(step, Action.KILL_WORKER_AT_LAST))
    assert (story.status, story.run and story.run["cause"]) == ("failed", "signal")
    assert [one.exit_code for one in story.endings] == [128 + 9]
