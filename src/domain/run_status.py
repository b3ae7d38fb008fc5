"""The states of a run, and which may follow which (DESIGN section 4; drawn in ``docs/run-states.md``)."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run is in its life. Terminal states never change."""

    PENDING = "pending"
    """Accepted, and no attempt holds it. A crash leaves it here until its start deadline fails it."""

    RUNNING = "running"
    """An attempt holds a lease on it. A crash leaves it here until the lease expires and the evidence is read."""

    UNCERTAIN = "uncertain"
    """Its attempt is silent or gone, and the evidence cannot be read yet. The reconciler tries again."""

    CANCELLING = "cancelling"
    """A cancel was asked for; processes and sessions are not yet seen gone. The reconciler goes on with it."""

    SUCCEEDED = "succeeded"
    """Its reports are in the ledger or, without reports, its payload ended well. Terminal."""

    FAILED = "failed"
    """It ended without its result, and the cause is known. Terminal."""

    LOST = "lost"
    """It ended without its result; all evidence was looked at, and none names the cause. Terminal."""

    CANCELLED = "cancelled"
    """It was cancelled, and its processes and sessions were seen gone. Terminal."""

    SKIPPED = "skipped"
    """There was nothing to do, for the reason recorded; not a failure. Terminal."""

    @property
    def terminal(self) -> bool:
        """Whether nothing may follow."""
        return not TRANSITIONS[self]


_VERDICTS = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.LOST, RunStatus.SKIPPED, RunStatus.CANCELLING})

TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PENDING: _VERDICTS | {RunStatus.RUNNING, RunStatus.UNCERTAIN},
    # RUNNING may follow RUNNING: a new attempt takes over from one that has not ended yet.
    RunStatus.RUNNING: _VERDICTS | {RunStatus.RUNNING, RunStatus.PENDING, RunStatus.UNCERTAIN},
    RunStatus.UNCERTAIN: _VERDICTS | {RunStatus.RUNNING, RunStatus.PENDING},
    # A run whose ledger row was written before the fence closed has succeeded, cancel or not.
    RunStatus.CANCELLING: frozenset({RunStatus.CANCELLED, RunStatus.SUCCEEDED}),
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.LOST: frozenset(),
    RunStatus.CANCELLED: frozenset(),
    RunStatus.SKIPPED: frozenset(),
}
"""Which states may follow which."""

OPEN = tuple(status for status in RunStatus if TRANSITIONS[status])
"""The states that somebody still has to bring to an end."""
