"""Figures about runs, counted: in memory there are never many."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import repeat

from ...domain.figures import EndedRuns, OpenRuns, RunFigures, buckets_of, counted
from ...domain.incident import IncidentKind
from ...domain.run import Run
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ...domain.week_summary import PipelineWeek
from .database import MemoryRunLogDatabase

_BAD = (RunStatus.FAILED, RunStatus.LOST)


class MemoryRunFigures:
    """:class:`~kubescribe.application.ports.run_figures.RunFigureLog` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def figures(self, tenant: str) -> RunFigures:
        """See the port."""
        with self._database.transaction():
            runs = [run for run in self._database.runs.values() if run.tenant == tenant]
            ended: dict[tuple[str, str, str], list[Run]] = {}
            waiting: dict[str, list[Run]] = {}
            for run in runs:
                if run.status.terminal:
                    ended.setdefault((run.pipeline, str(run.status), str(run.cause or "")), []).append(run)
                else:
                    waiting.setdefault(str(run.status), []).append(run)
            return RunFigures(
                ended=tuple(_ended(*key, ended[key]) for key in sorted(ended)),
                open=tuple(
                    OpenRuns(status=status, runs=len(some), age=max(map(self._age, some)))
                    for status, some in sorted(waiting.items())
                ),
                lease_age=max((self._lease_age(run) for some in waiting.values() for run in some), default=0.0),
                failing=sum(map(self._fails, {run.pipeline for run in runs}, repeat(tenant))),
            )

    async def between(self, tenant: str, begin: datetime, end: datetime) -> tuple[PipelineWeek, ...]:
        """See the port."""
        with self._database.transaction():
            runs = [
                run
                for run in self._database.runs.values()
                if run.tenant == tenant and begin <= run.created_at < end and run.mode is RunMode.PUBLISH
            ]
        return tuple(
            PipelineWeek(
                pipeline=pipeline,
                runs=sum(run.pipeline == pipeline for run in runs),
                failed=sum(run.pipeline == pipeline and run.status in _BAD for run in runs),
                succeeded=sum(run.pipeline == pipeline and run.status is RunStatus.SUCCEEDED for run in runs),
            )
            for pipeline in sorted({run.pipeline for run in runs})
        )

    def _fails(self, pipeline: str, tenant: str) -> bool:
        newest = self._database.newest_incident(tenant, pipeline, IncidentKind.FAILING)
        return newest is not None and newest.bad > 0

    def _age(self, run: Run) -> float:
        at = [event.at for event in self._database.events if event.run_id == run.id]
        return max(0.0, (self._database.now() - (at[-1] if at else run.created_at)).total_seconds())

    def _lease_age(self, run: Run) -> float:
        attempt = None if run.attempt_id is None else self._database.attempts[run.attempt_id]
        if attempt is None or attempt.ended_at is not None:
            return 0.0
        renewed = attempt.lease_until - timedelta(seconds=self._database.leases[attempt.id])
        return max(0.0, (self._database.now() - renewed).total_seconds())


def _ended(pipeline: str, status: str, cause: str, runs: list[Run]) -> EndedRuns:
    took = [counted(_seconds(run)) for run in runs]
    return EndedRuns(
        pipeline=pipeline,
        status=status,
        cause=cause,
        runs=len(runs),
        seconds=sum(seconds for seconds in took if seconds is not None),
        buckets=tuple(map(sum, zip(*map(buckets_of, took), strict=True))),
    )


def _seconds(run: Run) -> float | None:
    if run.duration is not None:
        return run.duration
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()
