"""How a pipeline does: figures over its last runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

import msgspec

from .run import Run
from .run_status import RunStatus


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """Quantiles in seconds, each a duration that occurred (nearest rank)."""

    p50: float
    p90: float
    p99: float
    longest: float


class PipelineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over some runs of one pipeline."""

    counted: int
    """Runs that have ended among those looked at."""
    by_status: dict[str, int]
    success_rate: float | None
    """Of the runs that succeeded, failed or were lost; None where there is none. Skipped and cancelled ones say nothing
    about the pipeline."""
    durations: Durations | None
    """Of the runs that succeeded."""
    first_at: datetime | None = None
    """When the oldest of them was created."""


def figures(runs: Sequence[Run]) -> PipelineFigures:
    """The figures of these runs; those that go on are passed over."""
    ended = [run for run in runs if run.status.terminal]
    by_status: dict[str, int] = {}
    for run in ended:
        by_status[run.status.value] = by_status.get(run.status.value, 0) + 1
    good = by_status.get(RunStatus.SUCCEEDED, 0)
    judged = good + by_status.get(RunStatus.FAILED, 0) + by_status.get(RunStatus.LOST, 0)
    took = sorted(run.duration for run in ended if run.status is RunStatus.SUCCEEDED and run.duration is not None)
    return PipelineFigures(
        counted=len(ended),
        by_status=by_status,
        success_rate=good / judged if judged else None,
        durations=Durations(p50=_rank(took, 0.5), p90=_rank(took, 0.9), p99=_rank(took, 0.99), longest=took[-1])
        if took
        else None,
        first_at=min((run.created_at for run in ended), default=None),
    )


def _rank(values: Sequence[float], share: float) -> float:
    return values[max(ceil(share * len(values)), 1) - 1]
