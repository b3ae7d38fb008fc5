"""Ask for a run to be ended."""

from __future__ import annotations

import contextlib
from datetime import datetime
from uuid import UUID

from ..domain import run as runs
from ..domain.errors import CancelRefused, KubescribeError
from ..domain.run import Run, Transition
from ..domain.run_status import RunStatus
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .failpoints import failpoint
from .finish_cancel import FinishCancel
from .ports.launcher import Launcher
from .ports.run_history import RunHistory
from .ports.run_log import OpenRun, RunLog


class CancelRun:
    """Cancels one run: the record first, so that a cancel which was accepted is never lost, then its supervisor.

    A run that no attempt has taken is CANCELLED at once. Any other one is CANCELLING until the reconciler has seen
    that it is gone; what it has published before its fence was closed stays, and then it has SUCCEEDED.
    """

    def __init__(self, *, run_log: RunLog, history: RunHistory, launcher: Launcher, finish: FinishCancel) -> None:
        self._run_log = run_log
        self._history = history
        self._launcher = launcher
        self._finish = finish

    async def __call__(
        self,
        run_id: UUID,
        *,
        actor: str,
        reason: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Run:
        """The run, CANCELLING or CANCELLED; asked again it is as it stands. ``method``: how, as in an event.

        Raises :class:`RunNotFound`, :class:`CancelRefused` for a run that has ended, and :class:`DatabaseUnavailable`
        where RunLog is away: then it may be asked again.
        """

        def step(now: Run, at: datetime) -> Transition:
            return runs.cancelling(now, actor=actor, at=at, reason=reason, method=method)

        asked: Run | None = None
        while asked is None:
            run = await self._run_log.get(run_id, tenant=tenant)
            if run.status.terminal:
                raise CancelRefused(run_id, run.status)
            if run.status is RunStatus.CANCELLING:
                return run
            asked = await self._run_log.move(run_id, run.status, step)
        failpoint("cancel.asked")
        with contextlib.suppress(KubescribeError):  # it is on record: the next pass goes on with it
            return await self._act(asked, actor) or asked
        return asked

    async def _act(self, run: Run, actor: str) -> Run | None:
        if run.attempt_id is not None:
            attempts = await self._history.attempts(run.id, tenant=run.tenant)
            newest = next((one for one in attempts if one.id == run.attempt_id), None)
            await self._launcher.stop(run, newest)
            return None
        found = OpenRun(
            run=run, attempt=None, lease_expired=False, run_deadline_passed=False, start_deadline_passed=False
        )
        return await self._finish(found, actor=actor)
