"""Have a supervisor started for a run that was accepted."""

from __future__ import annotations

from datetime import datetime

from ..domain import run as runs
from ..domain.errors import KubescribeError, LauncherBusy, LaunchRefused
from ..domain.failure import FailureCause
from ..domain.run import Evidence, Run, Transition
from ..domain.run_status import RunStatus
from .failpoints import failpoint
from .ports.launcher import Launcher
from .ports.run_log import RunLog
from .ports.run_requests import RunRequests


class LaunchRun:
    """Launches one run whose launch is DUE: the record first, then the supervisor, then the word that it was started.

    Right at any step a crash may come, and with any number of launches of one run at once: the launcher gives a run
    that has a supervisor no second one, and what was not said to be started is launched again by the next pass.
    """

    def __init__(self, *, run_log: RunLog, requests: RunRequests, launcher: Launcher) -> None:
        self._run_log = run_log
        self._requests = requests
        self._launcher = launcher

    async def __call__(self, run: Run, *, actor: str) -> Run:
        """The run afterwards: FAILED where the launcher refuses it for good, else PENDING, or further by now.

        Raises :class:`DatabaseUnavailable` where RunLog is away: the run stays accepted, and its launch DUE.
        """
        try:
            await self._launcher.launch(run)
            failpoint("launch.started")
        except LauncherBusy as busy:
            await self._requests.waiting(run.id, str(busy))
        except LaunchRefused as refused:
            message = str(refused)

            def step(now: Run, at: datetime) -> Transition:
                return runs.failed(
                    now,
                    actor=actor,
                    at=at,
                    evidence=Evidence.NO_ATTEMPT,
                    cause=FailureCause.CONFIG_ERROR,
                    message=message,
                )

            await self._run_log.move(run.id, RunStatus.PENDING, step)
        else:
            await self._requests.launched(run.id)
            failpoint("launch.told")
        return await self._run_log.get(run.id, tenant=run.tenant)

    async def soon(self, run: Run, *, actor: str) -> Run:
        """The same for a run that was accepted just now: whatever of ours goes wrong, it stays accepted."""
        try:
            return await self(run, actor=actor)
        except KubescribeError:
            return run
