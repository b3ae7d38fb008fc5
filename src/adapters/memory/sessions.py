"""Sessions, in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from ...domain.session import Session, session_event
from ...domain.storable import storable
from .database import MemoryRunLogDatabase


class MemorySessions:
    """:class:`~kubescribe.application.ports.sessions.Sessions` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database
        self._links: dict[bytes, Session] = {}
        self._sessions: dict[bytes, Session] = {}

    async def invite(self, session: Session, link: bytes, *, lifetime: float) -> Session:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            session = msgspec.structs.replace(
                storable(session), created_at=now, expires_at=now + timedelta(seconds=lifetime)
            )
            self._links[link] = session
            self._record(session, "invited")
            return session

    async def redeem(self, link: bytes, secret: bytes, *, lifetime: float) -> Session | None:
        """See the port."""
        with self._database.transaction():
            session, now = self._links.get(link), self._database.now()
            if session is None or session.expires_at <= now:
                return None
            del self._links[link]
            session = msgspec.structs.replace(session, expires_at=now + timedelta(seconds=lifetime))
            self._sessions[secret] = session
            self._record(session, "began")
            return session

    async def find(self, secret: bytes) -> Session | None:
        """See the port."""
        with self._database.transaction():
            session = self._sessions.get(secret)
            return None if session is None or session.expires_at <= self._database.now() else session

    async def end(self, session_id: UUID) -> None:
        """See the port."""
        with self._database.transaction():
            for secret, session in list(self._sessions.items()):
                if session.id == session_id:
                    del self._sessions[secret]
                    self._record(session, "ended")

    def _record(self, session: Session, what: str) -> None:
        event = storable(session_event(session, what))
        self._database.record(msgspec.structs.replace(event, at=self._database.now()))
