"""Being told of what is written to the in-memory RunLog."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from ...domain.tenant import Tenant
from .database import MemoryRunLogDatabase


class MemoryWatch:
    """A :class:`~kubescribe.application.ports.changes.Watch`."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def changed(self, timeout: float) -> bool:
        """See the port."""
        try:
            async with asyncio.timeout(timeout):
                await self.told.wait()
        except TimeoutError:
            return False
        self.told.clear()
        return True


class MemoryChanges:
    """:class:`~kubescribe.application.ports.changes.Changes` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def watch(self, run_id: UUID, *, tenant: Tenant) -> AsyncIterator[MemoryWatch]:
        """See the port."""
        watch, loop = MemoryWatch(), asyncio.get_running_loop()

        def told(whose: Tenant, which: UUID) -> None:  # in the writer's thread
            if (whose, which) == (tenant, run_id):
                loop.call_soon_threadsafe(watch.told.set)

        self._database.listeners.append(told)
        try:
            yield watch
        finally:
            self._database.listeners.remove(told)
