"""Have a supervisor started for a run that was accepted."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..domain import run as runs
from ..domain.errors import KubescribeError, LauncherBusy, LaunchRefused
from ..domain.failure import FailureCause
from ..domain.run import Evidence, Run, Transition
from ..domain.run_status import RunStatus
from ..domain.storable import storable_text
from .failpoints import failpoint
from .ports.launcher import Launcher
from .ports.run_log import RunLog
from .ports.run_requests import RunRequests


class Launched(NamedTuple):
    """What became of a launch."""

    run: Run
    """Afterwards: FAILED where the launcher refuses it for good, else PENDING, or further by now."""
    full: bool
    """There is no room for it, and for no other run until somebody ends."""


class LaunchRun:
    """Launches one run whose launch is DUE: the record first, then the supervisor, then the word that it was started.

    Right at any step a crash may come, and with any number of launches of one run at once: the launcher gives a run
    that has a supervisor no second one, and what was not said to be started is launched again by the next pass.
    """

    def __init__(self, *, run_log: RunLog, requests: RunRequests, launcher: Launcher) -> None:
        self._run_log = run_log
        self._requests = requests
        self._launcher = launcher

    async def __call__(self, run: Run, *, actor: str, late: bool = False) -> Launched:
        """Launch it, or note why it has to wait. ``late``: its start deadline has passed, and doubts are over.

        Raises :class:`DatabaseUnavailable` where RunLog is away: the run stays accepted, and its launch DUE.
        """
        try:
            await self._launcher.launch(run)
            failpoint("launch.started")
        except LauncherBusy as busy:
            # A queue of thousands is looked at every few seconds: what is on record already is not written again.
            known = run.message == storable_text(str(busy), runs.MESSAGE_LIMIT)
            if busy.in_doubt and late and known:  # one that waited for something else gets another pass
                return Launched(await self._refused(run, LaunchRefused(run.id, busy.why), actor), False)
            return Launched(run if known else await self._requests.waiting(run.id, str(busy)), busy.for_all)
        except LaunchRefused as refused:
            return Launched(await self._refused(run, refused, actor), False)
        after = await self._requests.launched(run.id)
        failpoint("launch.told")
        return Launched(after, False)

    async def soon(self, run: Run, *, actor: str) -> Run:
        """The same for a run that was accepted just now: whatever of ours goes wrong, it stays accepted."""
        try:
            return (await self(run, actor=actor)).run
        except KubescribeError:
            return run

    async def _refused(self, run: Run, refused: LaunchRefused, actor: str) -> Run:
        message = str(refused)

        def step(now: Run, at: datetime) -> Transition:
            return runs.failed(
                now, actor=actor, at=at, evidence=Evidence.NO_ATTEMPT, cause=FailureCause.CONFIG_ERROR, message=message
            )

        failed = await self._run_log.move(run.id, RunStatus.PENDING, step)
        return failed or await self._run_log.get(run.id, tenant=run.tenant)
