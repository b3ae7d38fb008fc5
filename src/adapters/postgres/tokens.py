"""Bearer tokens in RunLog."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...domain.errors import TokenNotFound
from ...domain.storable import storable
from ...domain.tenant import Tenant
from ...domain.token import Token, token_created, token_revoked
from . import tables
from .access_rows import token_from
from .engine import transact
from .rows import event_row

_NOTED = timedelta(minutes=1)


class PostgresTokens:
    """:class:`~kubescribe.application.ports.tokens.Tokens` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def add(self, token: Token, digest: bytes, *, lifetime: float | None, method: str | None = None) -> Token:
        """See the port."""
        given = storable(token)

        async def work(connection: AsyncConnection) -> Token:
            now = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
            expires = None if lifetime is None else now + timedelta(seconds=lifetime)
            made = msgspec.structs.replace(given, created_at=now, expires_at=expires)
            values = msgspec.structs.asdict(made)
            values |= {"digest": digest, "role": str(made.role), "scopes": sorted(map(str, made.scopes))}
            await connection.execute(tables.token.insert().values(values))
            event = storable(token_created(made, method=method))
            await connection.execute(tables.event.insert().values(event_row(event)))
            return made

        return await transact(self._engine, work, timeout=self._timeout)

    async def find(self, digest: bytes) -> Token | None:
        """See the port."""
        token, now = tables.token.c, func.clock_timestamp()
        # A RunLog that takes no writes is good enough to read from.
        may_note = func.current_setting("transaction_read_only") == "off"
        old = or_(token.last_used_at.is_(None), token.last_used_at <= now - _NOTED)
        query = select(tables.token, and_(may_note, old)).where(
            token.digest == digest,
            token.revoked_at.is_(None),
            or_(token.expires_at.is_(None), token.expires_at > now),
        )

        async def work(connection: AsyncConnection) -> Token | None:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            if row[-1]:
                await connection.execute(update(tables.token).where(token.id == row.id).values(last_used_at=now))
            return token_from(dict(row._mapping))

        return await transact(self._engine, work, timeout=self._timeout)

    async def all(self, *, tenant: Tenant) -> tuple[Token, ...]:
        """See the port."""
        token = tables.token.c
        query = select(tables.token).where(token.tenant == tenant).order_by(token.created_at.desc(), token.id.desc())

        async def work(connection: AsyncConnection) -> tuple[Token, ...]:
            return tuple(token_from(dict(row)) for row in (await connection.execute(query)).mappings())

        return await transact(self._engine, work, timeout=self._timeout)

    async def revoke(
        self, token_id: UUID, *, tenant: Tenant, actor: str, reason: str | None, method: str | None = None
    ) -> Token:
        """See the port."""
        token = tables.token.c
        which = (token.id == token_id, token.tenant == tenant)

        async def work(connection: AsyncConnection) -> Token:
            ended = (
                update(tables.token)
                .where(*which, token.revoked_at.is_(None))
                .values(revoked_at=func.clock_timestamp())
                .returning(tables.token)
            )
            row = (await connection.execute(ended)).mappings().first()
            if row is not None:
                ended_one = token_from(dict(row))
                event = storable(token_revoked(ended_one, actor=actor, reason=reason, method=method))
                await connection.execute(tables.event.insert().values(event_row(event)))
            else:
                row = (await connection.execute(select(tables.token).where(*which))).mappings().first()
            if row is None:
                raise TokenNotFound(token_id)
            return token_from(dict(row))

        return await transact(self._engine, work, timeout=self._timeout)
