"""``fold="once"``, kept by the runner: Kubernetes makes a Job for each of both moments of a time shown twice."""

from __future__ import annotations

from datetime import UTC, datetime

from ..domain.dst_policy import Fold
from ..domain.pipeline import Pipeline


def skipped_by_fold(pipeline: Pipeline, slot: datetime) -> str | None:
    """Why the run of this slot has nothing to do; None: it has.

    By the declaration and the slot alone, so that it holds while RunLog is away, and for two Jobs at once.
    """
    if pipeline.schedule is None or pipeline.timezone == "UTC" or pipeline.fold is Fold.TWICE:
        return None
    from ..domain import expected_slot, schedule  # every supervisor imports this module, and few have such a slot

    if not expected_slot.skipped_by_fold(schedule.Schedule(pipeline.schedule, pipeline.timezone), pipeline.fold, slot):
        return None
    second = slot.astimezone(schedule.find_zone(pipeline.timezone))
    first = second.replace(fold=0).astimezone(UTC)
    return (
        f"{second:%H:%M} came twice on {second:%Y-%m-%d} in {pipeline.timezone}, and the first, at {first:%H:%M} UTC, "
        f"was the slot; a pipeline that is to run at both says fold='twice'"
    )
