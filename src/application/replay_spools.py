"""Complete the records that were left in the spool because RunLog was away."""

from __future__ import annotations

from ..domain.errors import AttemptNotFound, Fenced, RunClosed, RunMismatch
from .attempt_recorder import replay
from .ports.attempt_log import AttemptLog
from .ports.spool import Spool


async def replay_spools(log: AttemptLog, spool: Spool) -> tuple[str, ...]:
    """Replay what ended supervisors have left, and forget it; returns a sentence for each that RunLog did not take.

    Raises :class:`DatabaseUnavailable` when RunLog is away; nothing is forgotten before RunLog has it. A run that got
    another verdict meanwhile keeps it.
    """
    refusals = []
    for attempt_id in spool.leftover():
        try:
            await replay(log, spool.entries(attempt_id))
        except (RunClosed, RunMismatch, Fenced, AttemptNotFound) as refused:
            refusals.append(f"what attempt {attempt_id} had left in the spool came too late: {refused}")
        spool.remove(attempt_id)
    return tuple(refusals)
