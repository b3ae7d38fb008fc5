"""Who did it."""

from __future__ import annotations

RECONCILER = "reconciler"
"""The actor of everything that ``reconcile_runs`` decides."""


def supervisor(attempt_id: object) -> str:
    """The actor of what an attempt's own supervisor records."""
    return f"attempt:{attempt_id}"


def user(name: str) -> str:
    """The actor for somebody at a command line."""
    return f"user:{name}"


SCHEDULE = "schedule"
"""The actor of runs that a schedule asked for."""

CLUSTER = "cluster"
"""The actor of what somebody did on the cluster itself, past KubeScribe: ``kubectl create job``, ``kubectl delete``."""

RUNLOG = "runlog"
"""The actor of what follows from what somebody else wrote, in the same transaction: incidents open and recover."""
