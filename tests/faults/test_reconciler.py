"""The reconciler is killed, doubled and raced at each of its steps."""

from __future__ import annotations

import pytest

from tests.support.faults import COMMAND
from tests.support.races import (
    reconciler_killed,
    taken_during_the_verdict,
    two_reconcilers,
    wakes_beside_its_successor,
    wakes_during_the_verdict,
)
from tests.support.world import World

pytestmark = pytest.mark.faults

VERDICT = ("reconcile.looked", "reconcile.closed", "reconcile.looked_up", "reconcile.moved")
STEPS = (*VERDICT, "reconcile.raised")
"""The last one is of giving an attempt up, whose supervisor is there and silent."""


@pytest.mark.parametrize("at", STEPS)
def test_killed(world: World, at: str) -> None:
    story = reconciler_killed(world, at, run_at="publish.attached")
    assert story.status in ("lost", "failed")


@pytest.mark.parametrize("at", VERDICT)
def test_killed_over_a_run_that_has_published(world: World, at: str) -> None:
    assert reconciler_killed(world, at, run_at="publish.committed").status == "succeeded"


@pytest.mark.parametrize("at", STEPS)
def test_two_at_once(world: World, at: str) -> None:
    two_reconcilers(world, at, run_at="attempt.published")


@pytest.mark.parametrize("at", STEPS)
def test_a_supervisor_wakes_during_its_verdict(world: World, at: str) -> None:
    story = wakes_during_the_verdict(world, at)
    assert (story.status == "succeeded") == (at == "reconcile.looked"), story


@pytest.mark.parametrize("command", [COMMAND, ()], ids=["command", "pipeline"])
def test_an_attempt_that_takes_the_run_from_one_that_is_given_up_keeps_it(
    world: World, command: tuple[str, ...]
) -> None:
    taken_during_the_verdict(world, command)


@pytest.mark.parametrize("at", ["attempt.claimed", "attempt.payload_ended"])
def test_a_command_that_wakes_beside_its_successor_decides_nothing(world: World, at: str) -> None:
    wakes_beside_its_successor(world, at, command=COMMAND)


@pytest.mark.parametrize("at", ["attempt.fenced", "worker.returned", "attempt.checked", "publish.attached"])
def test_a_pipeline_that_wakes_beside_its_successor_publishes_nothing(world: World, at: str) -> None:
    wakes_beside_its_successor(world, at, command=())
