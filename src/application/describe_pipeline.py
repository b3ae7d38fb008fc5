"""What there is to say about a pipeline beside its declaration: pause, slots, last runs, figures."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ..domain.expected_slot import expected_slots, keeps_pace
from ..domain.pipeline import Pipeline
from ..domain.pipeline_figures import PipelineFigures, figures
from ..domain.run import Run
from ..domain.run_mode import RunMode
from ..domain.run_status import OPEN, RunStatus
from ..domain.schedule import Schedule, find_zone
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.run_log import RunFilter, RunLog

COUNTED = 100
"""How many of the last runs the figures are over."""
SHOWN = 10
SLOTS = 5
_A_YEAR = timedelta(days=366)


class PipelineState(msgspec.Struct, frozen=True, kw_only=True):
    """How one pipeline stands at a moment."""

    pipeline: str
    last_runs: tuple[Run, ...]
    """At most ``SHOWN``, newest first."""
    open_runs: tuple[Run, ...]
    """At most ``SHOWN``, newest first."""
    last_success: Run | None
    """Of those that publish: of a rehearsal readers have nothing."""
    freshness: float | None
    """Seconds since the last success ended; None where there was none."""
    figures: PipelineFigures
    """Over the last ``COUNTED`` runs, rehearsals left out."""
    next_slots: tuple[datetime, ...]


class DescribePipeline:
    """Looks at a pipeline's last runs."""

    def __init__(self, *, run_log: RunLog) -> None:
        self._run_log = run_log

    async def __call__(self, pipeline: Pipeline, *, now: datetime, tenant: Tenant = DEFAULT_TENANT) -> PipelineState:
        """The state at ``now``; raises :class:`DatabaseUnavailable`."""
        its = RunFilter(tenant=tenant, pipeline=pipeline.name)
        runs = (await self._run_log.find(its, limit=COUNTED)).runs
        going = msgspec.structs.replace(its, statuses=OPEN)
        open_runs = (await self._run_log.find(going, limit=SHOWN)).runs
        succeeded = msgspec.structs.replace(its, statuses=(RunStatus.SUCCEEDED,), mode=RunMode.PUBLISH)
        last = next(iter((await self._run_log.find(succeeded, limit=1)).runs), None)
        age = None if last is None or last.finished_at is None else (now - last.finished_at).total_seconds()
        slots: tuple[datetime, ...] = ()
        if pipeline.schedule is not None:
            slots = _next_slots(pipeline, Schedule(pipeline.schedule, pipeline.timezone), now)
        return PipelineState(
            pipeline=pipeline.name,
            last_runs=runs[:SHOWN],
            open_runs=open_runs,
            last_success=last,
            freshness=None if age is None else max(age, 0.0),
            figures=figures([run for run in runs if run.mode is RunMode.PUBLISH]),
            next_slots=slots,
        )


def _next_slots(pipeline: Pipeline, schedule: Schedule, now: datetime) -> tuple[datetime, ...]:
    """With what the pipeline's rules make of clock changes, for slots that come within a year."""
    fired = schedule.upcoming(now, SLOTS)
    if not fired or keeps_pace(schedule.expression) or fired[-1] - now > _A_YEAR:
        return fired
    zone = find_zone(pipeline.timezone)
    expected = expected_slots(schedule, pipeline.fold, pipeline.gap, now, fired[-1])
    return tuple(one.at.astimezone(zone) for one in expected[:SLOTS])
