"""Figures about runs that are kept as they end, so that nobody has to count them."""

from __future__ import annotations

import msgspec

DURATION_BOUNDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
"""Upper bounds of the buckets of durations, in seconds; a last one takes the rest."""
LONGEST = 1e9
"""Seconds that a single run counts for at most, whatever its record says: a sum must not overflow."""


class EndedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one pipeline that ended in one way, ever."""

    pipeline: str
    status: str
    cause: str
    """Empty where there is none."""
    runs: int
    seconds: float
    """Of all of them together; those that never began count for nothing."""
    buckets: tuple[int, ...]
    """How many took at most each bound of ``DURATION_BOUNDS``, and at last how many began at all."""


class OpenRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that are in one state without a verdict, now."""

    status: str
    runs: int
    age: float
    """Seconds that the one that is longest in it has been in it."""


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a tenant's runs that is watched."""

    ended: tuple[EndedRuns, ...]
    open: tuple[OpenRuns, ...]
    lease_age: float
    """Seconds since the attempt that is silent longest last renewed its lease; 0 where none holds one."""
    failing: int
    """Pipelines whose newest verdict is a failure."""


def counted(seconds: float | None) -> float | None:
    """What a run's duration counts for; None for a run that never began."""
    if seconds is None:
        return None
    return max(seconds, 0.0) if seconds < LONGEST else LONGEST  # what is no number, too


def buckets_of(seconds: float | None) -> tuple[int, ...]:
    """A single duration, as :attr:`EndedRuns.buckets`; all zeros for a run that never began."""
    if seconds is None:
        return (0,) * (len(DURATION_BOUNDS) + 1)
    return (*(int(seconds <= bound) for bound in DURATION_BOUNDS), 1)
