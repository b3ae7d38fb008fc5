"""Run again what did not succeed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from ..domain.errors import RetryRefused
from ..domain.request_key import RequestKey
from ..domain.run import Run, Trigger
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .authoring.parameters import Declaring, accepted_parameters
from .failpoints import failpoint
from .launch_run import LaunchRun
from .ports.ids import Ids
from .ports.run_log import RunLog
from .ports.run_requests import RunRequests


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a retry."""

    run: Run
    new: bool
    """False: it was asked for before under this key."""
    code_then: str | None
    """The code version that the earlier run had."""
    code_now: str | None

    @property
    def note(self) -> str | None:
        """A sentence where the retry does not run the same code."""
        if self.code_then == self.code_now:
            return None
        return f"the code is not the same: run {self.run.retry_of} had {self.code_then}, this one runs {self.code_now}"


class RetryRun:
    """Makes a new run with the parameters, mode and slot of one that has ended and did not succeed."""

    def __init__(self, *, run_log: RunLog, requests: RunRequests, launch: LaunchRun, ids: Ids) -> None:
        self._run_log = run_log
        self._requests = requests
        self._launch = launch
        self._ids = ids

    async def __call__(
        self,
        run_id: UUID,
        declared: Callable[[str], Declaring],
        *,
        actor: str,
        reason: str | None = None,
        key: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Retried:
        """The new run, or the one of an earlier request under this key. ``declared``: a pipeline by its name, as it is.
        ``method``: how it was asked for, as in an event.

        Raises :class:`RunNotFound`, :class:`RetryRefused`, :class:`PipelineNotFound`, :class:`BadParameters` where the
        pipeline does not take these parameters any more, :class:`KeyReused`, and :class:`DatabaseUnavailable`.
        """
        old = await self._run_log.get(run_id, tenant=tenant)
        _check(old)
        function = declared(old.pipeline)
        pipeline = function.pipeline
        asked = {"tenant": tenant, "retry_of": str(run_id), "reason": reason}
        accepted = await self._requests.accept(
            Run(
                id=self._ids.new(),
                tenant=tenant,
                pipeline=old.pipeline,
                trigger=Trigger.RETRY,
                actor=actor,
                reason=reason,
                mode=old.mode,
                # Strictly as they are on record; a parameter that came since gets its default.
                parameters=accepted_parameters(function, old.parameters, from_text=False),
                slot=old.slot,
                retry_of=old.id,
                code_version=pipeline.code_version,
                may_publish=pipeline.may_publish and old.mode is RunMode.PUBLISH,
                created_at=datetime.now(UTC),  # RunLog puts its own clock's time
            ),
            key=None if key is None else RequestKey.of(key, asked),
            start_deadline=pipeline.start_deadline,
            facts={"code_version": pipeline.code_version, "code_version_of_retried": old.code_version},
            method=method,
        )
        failpoint("trigger.accepted")
        run = await self._launch.soon(accepted.run, actor=actor) if accepted.new else accepted.run
        return Retried(run=run, new=accepted.new, code_then=old.code_version, code_now=run.code_version)


def _check(run: Run) -> None:
    if not run.status.terminal:
        raise RetryRefused(run.id, f"it is {run.status}; wait for its end, or `kubescribe cancel {run.id}` first")
    if run.status is RunStatus.SUCCEEDED:
        raise RetryRefused(run.id, f"it has succeeded; to run it once more: `kubescribe trigger {run.pipeline}`")
    if run.code_version is None and "command" in run.parameters:
        raise RetryRefused(run.id, "it was a command, which is not on record as a pipeline: `kubescribe exec` it again")
