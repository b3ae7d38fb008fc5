"""A run's sessions, as many as a test says there are."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.sessions import SessionCheck, SessionState


class MemorySessions:
    """The :class:`~kubescribe.application.ports.sessions.Sessions` in memory."""

    def __init__(self, database: str = "production") -> None:
        self.open: dict[UUID, int] = {}
        """By run: how many there are."""
        self.available = True
        self.may_end = True
        self._database = database

    async def end(self, run_id: UUID) -> SessionCheck:
        """See the port."""
        if not self.available:
            return SessionCheck(database=self._database, state=SessionState.UNVERIFIED, detail="it was taken away")
        count = self.open.get(run_id, 0)
        if count and not self.may_end:
            detail = f"{count} could not be ended"
            return SessionCheck(database=self._database, state=SessionState.LEFT, detail=detail)
        self.open.pop(run_id, None)
        detail = f"{count} were ended" if count else ""
        return SessionCheck(database=self._database, state=SessionState.GONE, detail=detail)
