"""Leases of names, in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from .database import MemoryRunLogDatabase


class MemoryLeadership:
    """:class:`~kubescribe.application.ports.leadership.Leadership` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database
        self._leases: dict[str, tuple[UUID, datetime]] = {}

    async def hold(self, name: str, holder: UUID, *, seconds: float) -> bool:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            held = self._leases.get(name)
            if held is not None and held[0] != holder and held[1] > now:
                return False
            self._leases[name] = (holder, now + timedelta(seconds=seconds))
            return True

    async def leave(self, name: str, holder: UUID) -> None:
        """See the port."""
        with self._database.transaction():
            if name in self._leases and self._leases[name][0] == holder:
                del self._leases[name]
