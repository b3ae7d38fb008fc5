"""What becomes of a run when one of its attempts says how it ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from .actor import supervisor
from .errors import IllegalTransition
from .failure import FailureCause, SkipReason
from .outcome import Outcome
from .run import Evidence, Run, Transition, failed, released, skipped, succeeded, uncertain
from .run_status import RunStatus


def concluded(run: Run, attempt_id: UUID, outcome: Outcome, *, at: datetime) -> Transition | None:
    """The step that the run makes, or None: it is terminal, or not this attempt's to decide.

    Rows in the ledger have the last word, whoever put them there and whatever was recorded meanwhile. All else
    may be said by the newest attempt only, while the run is RUNNING or UNCERTAIN.
    """
    if run.status.terminal:
        return None
    actor = supervisor(attempt_id)
    if outcome.published:
        return succeeded(run, actor=actor, at=at, evidence=Evidence.LEDGER, duration=outcome.duration)
    if run.attempt_id != attempt_id or run.status not in (RunStatus.RUNNING, RunStatus.UNCERTAIN):
        return None
    cause, message, duration = outcome.cause or FailureCause.UNKNOWN, outcome.message, outcome.duration
    if outcome.status is RunStatus.SUCCEEDED:
        return succeeded(run, actor=actor, at=at, evidence=Evidence.EXIT, duration=duration)
    if outcome.status is RunStatus.SKIPPED:
        reason = outcome.skip_reason or SkipReason.SUPERSEDED
        return skipped(
            run, actor=actor, at=at, evidence=Evidence.EXIT, reason=reason, message=message, duration=duration
        )
    if outcome.status is RunStatus.FAILED:
        return failed(run, actor=actor, at=at, evidence=Evidence.EXIT, cause=cause, message=message, duration=duration)
    if outcome.status is RunStatus.PENDING:
        return released(run, actor=actor, at=at, cause=cause, message=message)
    if outcome.status is RunStatus.UNCERTAIN:
        return None if run.status is RunStatus.UNCERTAIN else uncertain(run, actor=actor, at=at, why=message or "")
    raise IllegalTransition(run.id, run.status, outcome.status)
