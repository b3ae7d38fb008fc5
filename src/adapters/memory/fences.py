"""The fences in memory."""

from __future__ import annotations

from uuid import UUID

from ...domain.errors import RunClosed
from ...domain.report import Publication
from .report_database import Fence, MemoryReportDatabase


class MemoryFences:
    """Implements :class:`~kubescribe.application.ports.fences.Fences`."""

    def __init__(self, database: MemoryReportDatabase) -> None:
        self._database = database

    async def take(self, run_id: UUID, attempt_id: UUID) -> int:
        """See the port."""
        with self._database.transaction():
            before = self._database.fences.get(run_id)
            if before is not None and before.closed_as is not None:
                raise RunClosed(run_id, before.closed_as)
            fence = Fence(next(self._database.numbers), attempt_id)
            self._database.fences[run_id] = fence
            return fence.number

    async def raise_(self, run_id: UUID, attempt_id: UUID, fence: int | None = None) -> None:
        """See the port."""
        with self._database.transaction():
            held = self._database.fences.get(run_id)
            if held is not None and (held.attempt_id == attempt_id or held.number <= (fence or 0)):
                self._raise(run_id)

    async def conclude(self, run_id: UUID, attempt_id: UUID, closed_as: str) -> bool:
        """See the port."""
        with self._database.transaction():
            fence = self._database.fences.get(run_id)
            if fence is None or fence.attempt_id != attempt_id or fence.closed_as not in (None, closed_as):
                return False
            self._database.fences[run_id] = Fence(fence.number, attempt_id, closed_as)
            return True

    async def close(self, run_id: UUID, closed_as: str) -> None:
        """See the port."""
        with self._database.transaction():
            fence = self._raise(run_id)
            fence.closed_as = fence.closed_as or closed_as

    async def publications(self, run_id: UUID) -> tuple[Publication, ...]:
        """See the port."""
        with self._database.transaction():
            rows = [row for row in self._database.ledger if row.run_id == run_id and row.kind == "publish"]
            return tuple(sorted(rows, key=lambda row: row.report))

    def _raise(self, run_id: UUID) -> Fence:
        fence = self._database.fences.setdefault(run_id, Fence(0))
        fence.number, fence.attempt_id = next(self._database.numbers), None
        return fence
