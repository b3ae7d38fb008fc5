"""Accepting runs that are to be launched, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from ...application.ports.run_requests import Accepted
from ...domain.errors import KeyReused, RunNotFound
from ...domain.launch import Launch
from ...domain.request_key import KEPT, RequestKey
from ...domain.run import MESSAGE_LIMIT, Run, created
from ...domain.run_status import RunStatus
from ...domain.storable import seconds, storable, storable_text
from .database import MemoryRunLogDatabase


class MemoryRunRequests:
    """:class:`~kubescribe.application.ports.run_requests.RunRequests` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def accept(
        self,
        run: Run,
        *,
        key: RequestKey | None = None,
        start_deadline: float | None = None,
        facts: Mapping[str, Any] | None = None,
        method: str | None = None,
    ) -> Accepted:
        """See the port."""
        run, database = storable(run), self._database
        with database.transaction():
            now = database.now()
            if key is not None:
                known = database.keys.get((run.tenant, key.key))
                if known is not None and known[2] >= now - KEPT:
                    digest, run_id, _ = known
                    if digest != key.digest:
                        raise KeyReused(key.key, run_id)
                    return Accepted(database.runs[run_id], False)
            deadline = None if start_deadline is None else now + timedelta(seconds=seconds(start_deadline))
            step = created(
                msgspec.structs.replace(run, created_at=now, start_deadline_at=deadline, launch=Launch.DUE),
                facts,
                method,
            )
            if run.id in database.runs:
                return Accepted(database.runs[run.id], False)
            if key is not None:
                database.keys[run.tenant, key.key] = (key.digest, run.id, now)
            database.write(step)
            return Accepted(step.after, True)

    async def launched(self, run_id: UUID) -> Run:
        """See the port."""
        with self._database.transaction():
            run = self._due(run_id)
            if run is not None:
                patience = None if run.start_deadline_at is None else run.start_deadline_at - run.created_at
                self._database.runs[run_id] = msgspec.structs.replace(
                    run,
                    launch=Launch.STARTED,
                    message=None,
                    start_deadline_at=None if patience is None else self._database.now() + patience,
                )
            return self._known(run_id)

    async def waiting(self, run_id: UUID, why: str) -> Run:
        """See the port."""
        with self._database.transaction():
            run = self._due(run_id)
            if run is not None:
                message = storable_text(why, MESSAGE_LIMIT)
                self._database.runs[run_id] = msgspec.structs.replace(run, message=message)
            return self._known(run_id)

    def _known(self, run_id: UUID) -> Run:
        run = self._database.runs.get(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def _due(self, run_id: UUID) -> Run | None:
        run = self._database.runs.get(run_id)
        return run if run and run.status is RunStatus.PENDING and run.launch is Launch.DUE else None
