"""Why a run or an attempt did not give its result."""

from __future__ import annotations

from enum import StrEnum


class FailureCause(StrEnum):
    """The cause of a failure, as recorded on the attempt and, when it decided, on the run."""

    ERROR = "error"
    """The payload raised an error, and told us which."""

    EXIT_CODE = "exit_code"
    """The payload ended with a code other than 0."""

    SIGNAL = "signal"
    """The payload was ended by a signal."""

    OOM_KILLED = "oom_killed"
    """The kernel killed it for its memory."""

    EVICTED = "evicted"
    """Its node threw it out."""

    PREEMPTED = "preempted"
    """A pod of higher priority took its place."""

    NODE_LOST = "node_lost"
    """Its node stopped answering."""

    IMAGE_PULL = "image_pull"
    """Its image could not be pulled."""

    UNSCHEDULABLE = "unschedulable"
    """No node would take it before the start deadline."""

    QUOTA_EXCEEDED = "quota_exceeded"
    """A quota or a limit refused it."""

    CONFIG_ERROR = "config_error"
    """A setting, a parameter or a declaration was wrong."""

    START_DEADLINE = "start_deadline"
    """No attempt took it in time."""

    RUN_DEADLINE = "run_deadline"
    """It ran longer than it may."""

    PRECONDITION = "precondition"
    """The data was not as declared: a failed check, or a frame that does not fit its report."""

    FENCED = "fenced"
    """A newer attempt, or the reconciler, took its right to publish away."""

    UNAVAILABLE = "unavailable"
    """A database that it needs was away."""

    LEASE_EXPIRED = "lease_expired"
    """It did not renew its lease in time, and was given up."""

    UNKNOWN = "unknown"
    """The evidence names no cause."""


class SkipReason(StrEnum):
    """Why a run had nothing to do."""

    SUPERSEDED = "superseded"
    """A newer slot of its report was published already."""

    PAUSED = "paused"
    """Its pipeline was paused when its slot came."""

    CONCURRENCY = "concurrency"
    """Another run of its pipeline was at work, and the pipeline allows one at a time."""

    DST = "dst"
    """Its slot came for the second time in a night in which the clock went back."""


SENDERS = frozenset(
    {
        FailureCause.OOM_KILLED,
        FailureCause.EVICTED,
        FailureCause.PREEMPTED,
        FailureCause.NODE_LOST,
        FailureCause.RUN_DEADLINE,
    }
)
"""Why a supervisor is told to end is not told to it: what it calls a signal has one of these causes on a cluster."""
