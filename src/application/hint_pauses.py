"""Show the cluster which pipelines are paused, so that it starts no pods that would only say so."""

from __future__ import annotations

from .ports.pauses import Pauses
from .ports.schedules import Schedules


class HintPauses:
    """One look. RunLog's pauses are the truth, kept by every supervisor; a suspended CronJob is a hint to the cluster.

    What others have suspended stays suspended, and what has no schedule is never touched.
    """

    def __init__(self, *, pauses: Pauses, schedules: Schedules) -> None:
        self._pauses, self._schedules = pauses, schedules

    async def __call__(self) -> int:
        """How many were changed; raises :class:`DatabaseUnavailable`, :class:`ClusterUnavailable`, ClusterRefused."""
        seen = [one for one in await self._schedules.schedules() if one.fires]
        paused = {
            (pause.tenant, pause.pipeline)
            for tenant in {one.tenant for one in seen}
            for pause in await self._pauses.holding(tenant=tenant)
        }
        changed = 0
        for one in seen:
            wanted = (one.tenant, one.pipeline) in paused
            if wanted and not one.suspended:
                await self._schedules.hold(one)
                changed += 1
            elif not wanted and one.suspended and one.ours:
                await self._schedules.release(one)
                changed += 1
        return changed
