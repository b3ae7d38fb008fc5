"""Let a paused pipeline's slots count again, and record which ones were passed over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime

from ..domain.actor import RECONCILER
from ..domain.errors import NotPaused, PipelineNotFound
from ..domain.pause import PassedOver, Pause, passed_over
from ..domain.pipeline import Pipeline
from ..domain.schedule import Schedule
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.pauses import Count, Pauses, Resumed


class ResumePipeline:
    """Ends pauses. The slots that a pause has let go by are counted by the schedule as it is now."""

    def __init__(self, *, pauses: Pauses) -> None:
        self._pauses = pauses

    async def __call__(
        self,
        pipeline: Pipeline,
        *,
        actor: str,
        reason: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Resumed:
        """End the pipeline's pause; raises :class:`NotPaused` and :class:`DatabaseUnavailable`."""
        return await self._pauses.resume(
            pipeline.name, _count(pipeline), actor=actor, reason=reason, tenant=tenant, method=method
        )

    async def ended(self, declared: Callable[[str], Pipeline]) -> tuple[Resumed, ...]:
        """End the pauses whose time is over, for the reconciler. ``declared``: a pipeline by its name.

        Of one that is not declared any more there are no slots. Somebody else may end the same ones at once.
        """
        done = []
        for pause in await self._pauses.over():
            try:
                count = _count(declared(pause.pipeline))
            except PipelineNotFound:
                count = _none
            with contextlib.suppress(NotPaused):
                done.append(
                    await self._pauses.resume(
                        pause.pipeline, count, actor=RECONCILER, reason="its end has come", tenant=pause.tenant
                    )
                )
        return tuple(done)


def _count(pipeline: Pipeline) -> Count:
    schedule = None if pipeline.schedule is None else Schedule(pipeline.schedule, pipeline.timezone)

    def count(pause: Pause, now: datetime) -> PassedOver:
        return passed_over(pause, schedule, now)

    return count


def _none(_pause: Pause, _now: datetime) -> PassedOver:
    return PassedOver()
