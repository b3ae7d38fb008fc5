"""SIGSTOP past the lease, the reconciler at work, SIGCONT, and no retry: the dead may not write."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import ASSIGNING, PUBLISHING, WORKING
from tests.support.world import World

pytestmark = pytest.mark.faults

OPEN = ASSIGNING + WORKING + PUBLISHING


@pytest.mark.parametrize("step", OPEN)
def test_an_attempt_that_was_given_up_does_not_publish(world: World, step: str) -> None:
    story = play(world, Fault(step, Action.STOP_AND_GIVE_UP))
    assert (story.status, story.run and story.run["cause"]) == ("failed", "lease_expired"), story
    assert not story.ledger


def test_one_that_has_published_before_has_succeeded(world: World) -> None:
    assert play(world, Fault("publish.committed", Action.STOP_AND_GIVE_UP)).status == "succeeded"
