"""The production and the report database crash."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.run_steps import STEPS
from tests.support.world import World

pytestmark = pytest.mark.faults

FROM_DECLARATION = STEPS[STEPS.index("attempt.declared") :]
READING = ("worker.first_read", "worker.read", "stage.created", "worker.staged")
AWAY = ("attempt.declared", "worker.read", "attempt.checked", "publish.fence_checked")


@pytest.mark.parametrize("step", FROM_DECLARATION)
def test_a_report_is_whole_or_not_there(world: World, step: str) -> None:
    play(world, Fault(step, Action.CRASH_REPORT))


@pytest.mark.parametrize("step", AWAY)
def test_a_report_database_that_stays_away_fails_the_run(world: World, step: str) -> None:
    assert play(world, Fault(step, Action.AWAY_REPORT)).status == "failed"


@pytest.mark.parametrize("step", READING)
def test_production_is_read_in_one_snapshot_or_not_at_all(world: World, step: str) -> None:
    play(world, Fault(step, Action.CRASH_PRODUCTION))
