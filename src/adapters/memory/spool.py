"""A spool that lives as long as its process."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.spool import Entry


class MemorySpool:
    """The :class:`~kubescribe.application.ports.spool.Spool` in memory."""

    def __init__(self) -> None:
        self._entries: dict[UUID, list[Entry]] = {}
        self._over: set[UUID] = set()

    def append(self, attempt_id: UUID, entry: Entry) -> None:
        """Keep an entry."""
        self._entries.setdefault(attempt_id, []).append(entry)

    def entries(self, attempt_id: UUID) -> tuple[Entry, ...]:
        """All entries of an attempt."""
        return tuple(self._entries.get(attempt_id, ()))

    def remove(self, attempt_id: UUID) -> None:
        """Forget an attempt's entries."""
        self._entries.pop(attempt_id, None)

    def leftover(self) -> tuple[UUID, ...]:
        """The attempts that have entries and were said to be over."""
        return tuple(sorted(set(self._entries) & self._over))

    def end(self, attempt_id: UUID) -> None:
        """Say that the attempt's process is gone."""
        self._over.add(attempt_id)
