"""WebSessions in RunLog."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...domain.storable import storable
from ...domain.web_session import WebSession, session_event
from . import tables
from .access_rows import session_from
from .engine import transact
from .rows import Row, event_row

_NOW = func.clock_timestamp()


class PostgresWebSessions:
    """:class:`~kubescribe.application.ports.web_sessions.WebSessions` over :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def invite(
        self, session: WebSession, link: bytes, *, lifetime: float, method: str | None = None
    ) -> WebSession:
        """See the port. Whoever makes a link clears away what is over."""
        given = storable(session)

        async def work(connection: AsyncConnection) -> WebSession:
            now = (await connection.execute(select(_NOW))).scalar_one()
            await connection.execute(delete(tables.web_session).where(tables.web_session.c.expires_at <= now))
            made = msgspec.structs.replace(given, created_at=now, expires_at=now + timedelta(seconds=lifetime))
            values = msgspec.structs.asdict(made) | {"role": str(made.role), "digest": link, "signed_in": False}
            await connection.execute(tables.web_session.insert().values(values))
            await _record(connection, made, "invited", method)
            return made

        return await transact(self._engine, work, timeout=self._timeout)

    async def redeem(
        self, link: bytes, secret: bytes, *, lifetime: float, method: str | None = None
    ) -> WebSession | None:
        """See the port."""
        session = tables.web_session.c
        statement = (
            update(tables.web_session)
            .where(session.digest == link, session.signed_in.is_(False), session.expires_at > _NOW)
            .values(digest=secret, signed_in=True, expires_at=_NOW + timedelta(seconds=lifetime))
            .returning(tables.web_session)
        )

        async def work(connection: AsyncConnection) -> WebSession | None:
            row = (await connection.execute(statement)).mappings().first()
            if row is None:
                return None
            await _record(connection, session_from(dict(row)), "began", method)
            return session_from(dict(row))

        return await transact(self._engine, work, timeout=self._timeout)

    async def find(self, secret: bytes) -> WebSession | None:
        """See the port."""
        session = tables.web_session.c
        query = select(tables.web_session).where(
            session.digest == secret, session.signed_in.is_(True), session.expires_at > _NOW
        )

        async def work(connection: AsyncConnection) -> Row | None:
            row = (await connection.execute(query)).mappings().first()
            return None if row is None else dict(row)

        found = await transact(self._engine, work, timeout=self._timeout)
        return None if found is None else session_from(found)

    async def end(self, session_id: UUID, *, method: str | None = None) -> None:
        """See the port."""
        session = tables.web_session.c
        statement = (
            delete(tables.web_session)
            .where(session.id == session_id, session.signed_in.is_(True))
            .returning(tables.web_session)
        )

        async def work(connection: AsyncConnection) -> None:
            row = (await connection.execute(statement)).mappings().first()
            if row is not None:
                await _record(connection, session_from(dict(row)), "ended", method)

        await transact(self._engine, work, timeout=self._timeout)


async def _record(connection: AsyncConnection, session: WebSession, what: str, method: str | None) -> None:
    row = event_row(storable(session_event(session, what, method=method))) | {"at": _NOW}
    await connection.execute(tables.event.insert().values(row))
