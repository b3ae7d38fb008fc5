"""SIGKILL to the supervisor, and the reconciler finds out what became of the run."""

from __future__ import annotations

import pytest

from tests.support.case import left_over
from tests.support.faults import Action, Fault, play
from tests.support.run_steps import BEFORE_CLAIM, PUBLISHED, STEPS
from tests.support.world import World

pytestmark = pytest.mark.faults

BOTH = ("attempt.claimed", "worker.first_read", "stage.copied", "worker.staged", "worker.returned")


@pytest.mark.parametrize("step", STEPS)
def test_the_run_is_what_the_ledger_says(world: World, step: str) -> None:
    story = play(world, Fault(step, Action.KILL_SUPERVISOR))
    expected = None if step in BEFORE_CLAIM else "succeeded" if step in PUBLISHED else "lost"
    assert story.status == expected, story


def test_a_later_run_clears_away_what_they_left() -> None:
    with World() as world:
        for step in ("stage.copied", "publish.attached", "publish.committed"):
            play(world, Fault(step, Action.KILL_SUPERVISOR))
        assert not left_over(world)


@pytest.mark.parametrize("step", BOTH)
def test_with_its_worker(world: World, step: str) -> None:
    story = play(world, Fault(step, Action.KILL_BOTH))
    assert story.status == "lost", story
