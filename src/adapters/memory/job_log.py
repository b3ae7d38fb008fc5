"""RunLog as it is completed from outside, in memory."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ...application.certifying import certified, may_be_replaced
from ...domain.attempt import Attempt
from ...domain.errors import RunNotFound
from ...domain.storable import storable
from .database import MemoryRunLogDatabase


class MemoryJobLog:
    """:class:`~kubescribe.application.ports.job_log.JobLog` in memory."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def unknown(self, run_ids: Collection[UUID]) -> frozenset[UUID]:
        """See the port."""
        with self._database.transaction():
            return frozenset(run_ids) - self._database.runs.keys()

    async def settled(self, run_ids: Collection[UUID]) -> frozenset[UUID]:
        """See the port."""
        with self._database.transaction():
            runs = self._database.runs
            return frozenset(one for one in run_ids if one in runs and runs[one].status.terminal)

    async def unfinished(self, attempt_ids: Collection[UUID]) -> frozenset[UUID]:
        """See the port."""
        with self._database.transaction():
            known = self._database.attempts
            return frozenset(one for one in attempt_ids if one not in known or may_be_replaced(known[one]))

    async def certify(self, attempt: Attempt) -> bool:
        """See the port."""
        attempt = storable(attempt)
        database = self._database
        with database.transaction():
            run = database.runs.get(attempt.run_id)
            if run is None:
                raise RunNotFound(attempt.run_id)
            known = database.attempts.get(attempt.id)
            if known is not None and not may_be_replaced(known):
                return False
            numbers = [one.number for one in database.attempts.values() if one.run_id == run.id]
            made = certified(run, known, attempt, number=max(numbers, default=0) + 1)
            database.attempts[attempt.id] = made
            database.leases.setdefault(attempt.id, 0.0)
            return True
