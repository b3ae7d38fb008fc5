"""Accept a run, and have a supervisor started for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..domain import run as runs
from ..domain.errors import LaunchRefused
from ..domain.failure import FailureCause
from ..domain.pipeline import Pipeline
from ..domain.run import Evidence, Run, Transition, Trigger
from ..domain.run_status import RunStatus
from .ports.ids import Ids
from .ports.launcher import Launcher
from .ports.run_log import RunLog


class TriggerRun:
    """Triggers one run: first the record, then the launch, so that a run which was accepted is never lost."""

    def __init__(self, *, run_log: RunLog, launcher: Launcher, ids: Ids) -> None:
        self._run_log = run_log
        self._launcher = launcher
        self._ids = ids

    async def __call__(
        self,
        pipeline: Pipeline,
        parameters: dict[str, Any],
        *,
        actor: str,
        reason: str | None = None,
        slot: datetime | None = None,
    ) -> Run:
        """The run, PENDING or, where it could not be launched, FAILED. ``parameters`` are converted already."""
        run = await self._run_log.create(
            Run(
                id=self._ids.new(),
                pipeline=pipeline.name,
                trigger=Trigger.MANUAL,
                actor=actor,
                reason=reason,
                parameters=parameters,
                slot=slot,
                code_version=pipeline.code_version,
                created_at=datetime.now(UTC),  # RunLog puts its own clock's time
            ),
            start_deadline=pipeline.start_deadline,
        )
        try:
            await self._launcher.launch(run)
        except LaunchRefused as refused:
            message = str(refused)

            def step(now: Run, at: datetime) -> Transition:
                return runs.failed(
                    now,
                    actor=actor,
                    at=at,
                    evidence=Evidence.EXIT,
                    cause=FailureCause.CONFIG_ERROR,
                    message=message,
                )

            return await self._run_log.move(run.id, RunStatus.PENDING, step) or await self._run_log.get(run.id)
        return run
