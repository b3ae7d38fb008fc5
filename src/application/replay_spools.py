"""Complete the records that were left in the spool because RunLog was away."""

from __future__ import annotations

from ..domain.errors import AttemptNotFound, Fenced, RunClosed, RunMismatch
from .attempt_recorder import replay
from .ports.attempt_log import AttemptLog
from .ports.spool import Spool


async def replay_spools(log: AttemptLog, spool: Spool) -> tuple[str, ...]:
    """Replay what ended supervisors have left, and forget it; returns a sentence for each that RunLog did not take.

    In the order of the claims, so that the attempts of a run are told as they came. Raises
    :class:`DatabaseUnavailable` when RunLog is away; nothing is forgotten before RunLog has it. A run that got another
    verdict meanwhile keeps it.
    """
    refusals = []
    # A spool begins with its claim; all of them are of one machine, and so of one clock.
    begun = {attempt_id: next((one.wall for one in spool.entries(attempt_id)), 0.0) for attempt_id in spool.leftover()}
    for attempt_id in sorted(begun, key=lambda one: begun[one]):
        try:
            await replay(log, spool.entries(attempt_id))
        except (RunClosed, RunMismatch, Fenced, AttemptNotFound) as refused:
            refusals.append(f"what attempt {attempt_id} had left in the spool came too late: {refused}")
        spool.remove(attempt_id)
    return tuple(refusals)
