"""What every command of the embedded mode does beside its own work: one pass of the reconciler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...application.replay_spools import replay_spools
from ...domain.errors import KubescribeError
from ...domain.run_status import RunStatus
from ..composition.container import Container


async def heal_if_needed(container: Container, say: Callable[[str], Any]) -> None:
    """Heal, unless a cheap look says that there is nothing to heal; importing the reconciler costs more than a run."""
    try:
        needed = bool(container.spool().leftover()) or await container.attempt_log().any_open()
    except KubescribeError:
        return
    if needed:
        await heal(container, say)


async def heal(container: Container, say: Callable[[str], Any]) -> None:
    """Complete records from the spool, then give runs that nobody works on their verdict. Never raises ours."""
    try:
        for refusal in await replay_spools(container.attempt_log(), container.spool()):
            say(refusal)
        done = await container.reconcile_runs()()
    except KubescribeError as error:
        say(f"runs could not be looked after: {error}")
        return
    for run in done.changed:
        if run.status is RunStatus.UNCERTAIN:
            continue  # it is among the problems
        say(
            f"run {run.id} of {run.pipeline} was found to be {run.status}" + (f": {run.message}" if run.message else "")
        )
    for problem in done.problems:
        say(problem)
