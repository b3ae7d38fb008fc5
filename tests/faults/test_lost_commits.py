"""The connection is cut at a COMMIT: before the server gets it, or before its answer comes."""

from __future__ import annotations

import pytest

from tests.support.faults import Action, Fault, play
from tests.support.world import World

pytestmark = pytest.mark.faults

RUNLOG = ("attempt.fenced", "attempt.claimed", "worker.read", "attempt.published", "attempt.recorded")
"""Before the claim, a beat, notes and output, the end."""
REPORT = ("attempt.declared", "stage.recorded", "attempt.checked", "publish.pointed", "attempt.message_written")
"""Before the fence, staging, ATTACH, the publication, retirement."""
PAIRS = [
    *((step, action) for step in RUNLOG for action in (Action.CUT_RUNLOG, Action.CUT_RUNLOG_BEFORE)),
    *((step, action) for step in REPORT for action in (Action.CUT_REPORT, Action.CUT_REPORT_BEFORE)),
]


@pytest.mark.parametrize(("step", "action"), PAIRS)
def test_the_outcome_is_read_back(world: World, step: str, action: Action) -> None:
    play(world, Fault(step, action))
