"""What has to be done for incidents beside the verdicts of runs: by somebody who is alive, again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..domain.incident import IncidentTerms
from ..domain.pipeline import Pipeline
from ..domain.tenant import Tenant
from .failpoints import failpoint
from .keep_promises import KeepPromises
from .ports.clock import Clock
from .ports.incidents import Incidents

PROMISES_EVERY = 15.0
"""Seconds between two looks at promises."""
_BATCH = 500


class KeepIncidents:
    """One pass: missed slots become incidents, what came back in its quiet hour is told, promises are looked at."""

    def __init__(
        self,
        *,
        tenant: Tenant,
        incidents: Incidents,
        promises: KeepPromises,
        clock: Clock,
        declared: Callable[[], Iterable[Pipeline]],
    ) -> None:
        self._tenant = tenant
        self._incidents = incidents
        self._promises = promises
        self._clock = clock
        self._declared = declared
        self._terms: Mapping[str, IncidentTerms] | None = None
        self._looked_at: float | None = None

    async def __call__(self) -> tuple[str, ...]:
        """Do what is due; sentences about what could not be done. Raises ``DatabaseUnavailable``."""
        pipelines = tuple(self._declared())
        terms = {one.name: one.incidents for one in pipelines}
        if terms != self._terms:
            await self._incidents.declare(terms, tenant=self._tenant)
            self._terms = terms
        while await self._incidents.tell_missed(limit=_BATCH) == _BATCH:
            failpoint("incidents.told")
        await self._incidents.tell_late()
        now = self._clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < PROMISES_EVERY:
            return ()
        done = await self._promises(pipelines)
        self._looked_at = now
        return done.problems
