"""A spool that lives as long as its process."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.spool import Entry


class MemorySpool:
    """The :class:`~kubescribe.application.ports.spool.Spool` in memory."""

    def __init__(self) -> None:
        self._entries: dict[UUID, list[Entry]] = {}

    def append(self, attempt_id: UUID, entry: Entry) -> None:
        """Keep an entry."""
        self._entries.setdefault(attempt_id, []).append(entry)

    def entries(self, attempt_id: UUID) -> tuple[Entry, ...]:
        """All entries of an attempt."""
        return tuple(self._entries.get(attempt_id, ()))

    def remove(self, attempt_id: UUID) -> None:
        """Forget an attempt's entries."""
        self._entries.pop(attempt_id, None)

    def attempts(self) -> tuple[UUID, ...]:
        """The attempts that have entries."""
        return tuple(sorted(self._entries))
