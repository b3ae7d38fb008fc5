"""SIGSTOP, and the reconciler thinks the supervisor gone, as on a node that cannot be reached; SIGCONT."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import ASSIGNING, PUBLISHED, PUBLISHING, WORKING
from tests.support.world import World

pytestmark = pytest.mark.faults

OPEN = ASSIGNING + WORKING + PUBLISHING


@pytest.mark.parametrize("step", OPEN)
def test_a_lost_run_stays_lost(world: World, step: str) -> None:
    story = play(world, Fault(step, Action.STOP_AND_LOSE))
    assert story.status == "lost", story
    assert not story.ledger


@pytest.mark.parametrize("step", PUBLISHED)
def test_a_published_run_is_never_lost(world: World, step: str) -> None:
    assert play(world, Fault(step, Action.STOP_AND_LOSE)).status == "succeeded"
