"""Which pipelines are paused, in memory."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ...application.ports.pauses import Count, Resumed
from ...domain.errors import NotPaused, PauseRefused
from ...domain.pause import Pause, paused_event, resumed_event
from ...domain.storable import storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from .database import MemoryRunLogDatabase


class MemoryPauses:
    """:class:`~kubescribe.application.ports.pauses.Pauses` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def pause(
        self,
        pipeline: str,
        *,
        actor: str,
        reason: str | None = None,
        until: datetime | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Pause:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            if until is not None and until <= now:
                raise PauseRefused(pipeline, until)
            asked = storable(
                Pause(tenant=tenant, pipeline=pipeline, actor=actor, reason=reason, since=now, until=until)
            )
            before = self._database.pauses.get((asked.tenant, asked.pipeline))
            pause = asked if before is None else msgspec.structs.replace(asked, since=before.since)
            self._database.pauses[asked.tenant, asked.pipeline] = pause
            self._database.record(storable(paused_event(asked, now, before=before, method=method)))
            return pause

    async def resume(
        self,
        pipeline: str,
        count: Count,
        *,
        actor: str,
        reason: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Resumed:
        """See the port."""
        with self._database.transaction():
            pause = self._database.pauses.get((tenant, pipeline))
            if pause is None:
                raise NotPaused(pipeline)
            now = self._database.now()
            slots = count(pause, now)
            del self._database.pauses[tenant, pipeline]
            event = resumed_event(pause, slots, actor=actor, reason=reason, at=now, method=method)
            self._database.record(storable(event))
            return Resumed(pause=pause, passed_over=slots)

    async def current(self, pipeline: str, *, tenant: Tenant = DEFAULT_TENANT) -> Pause | None:
        """See the port."""
        with self._database.transaction():
            return self._database.pause_of(tenant, pipeline)

    async def holding(self, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Pause, ...]:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            pauses = [one for one in self._database.pauses.values() if one.tenant == tenant and one.holds_at(now)]
            return tuple(sorted(pauses, key=lambda one: one.pipeline))

    async def over(self) -> tuple[Pause, ...]:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            return tuple(one for one in self._database.pauses.values() if not one.holds_at(now))
