"""Complete RunLog with the rollbacks that it could not be told of."""

from __future__ import annotations

from datetime import timedelta

from ..domain.report import Publication
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.report_catalogue import ReportCatalogue
from .ports.run_log import RunLog
from .roll_back_report import IDENTITY, event_of

WITHIN = timedelta(days=7)
"""How far back the ledger is looked at: RunLog should not be away for longer. Older events may have been pruned."""


class RecordRollbacks:
    """One pass over the ledger's newest rollbacks. Right with any number of them at once, and beside rollbacks."""

    def __init__(self, *, catalogue: ReportCatalogue, run_log: RunLog) -> None:
        self._catalogue = catalogue
        self._run_log = run_log

    async def __call__(self, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Publication, ...]:
        """Write the events that are missing; the rollbacks that they tell of, oldest first.

        Raises :class:`DatabaseUnavailable` where either database is away; what was written until then stays.
        """
        written = []
        for one in await self._catalogue.rollbacks(within=WITHIN):
            if await self._run_log.record_once(event_of(one, tenant=tenant, late=True), identity=IDENTITY):
                written.append(one.after)
        return tuple(written)
