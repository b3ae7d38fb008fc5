"""WebSessions, in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from ...domain.storable import storable
from ...domain.web_session import WebSession, session_event
from .database import MemoryRunLogDatabase


class MemoryWebSessions:
    """:class:`~kubescribe.application.ports.web_sessions.WebSessions` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database
        self._links: dict[bytes, WebSession] = {}
        self._sessions: dict[bytes, WebSession] = {}

    async def invite(
        self, session: WebSession, link: bytes, *, lifetime: float, method: str | None = None
    ) -> WebSession:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            session = msgspec.structs.replace(
                storable(session), created_at=now, expires_at=now + timedelta(seconds=lifetime)
            )
            self._links[link] = session
            self._record(session, "invited", method)
            return session

    async def redeem(
        self, link: bytes, secret: bytes, *, lifetime: float, method: str | None = None
    ) -> WebSession | None:
        """See the port."""
        with self._database.transaction():
            session, now = self._links.get(link), self._database.now()
            if session is None or session.expires_at <= now:
                return None
            del self._links[link]
            session = msgspec.structs.replace(session, expires_at=now + timedelta(seconds=lifetime))
            self._sessions[secret] = session
            self._record(session, "began", method)
            return session

    async def find(self, secret: bytes) -> WebSession | None:
        """See the port."""
        with self._database.transaction():
            session = self._sessions.get(secret)
            return None if session is None or session.expires_at <= self._database.now() else session

    async def end(self, session_id: UUID, *, method: str | None = None) -> None:
        """See the port."""
        with self._database.transaction():
            for secret, session in list(self._sessions.items()):
                if session.id == session_id:
                    del self._sessions[secret]
                    self._record(session, "ended", method)

    def _record(self, session: WebSession, what: str, method: str | None) -> None:
        event = storable(session_event(session, what, method=method))
        self._database.record(msgspec.structs.replace(event, at=self._database.now()))
