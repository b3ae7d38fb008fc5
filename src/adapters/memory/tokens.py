"""Bearer tokens, in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from ...domain.errors import TokenNotFound
from ...domain.event import Event
from ...domain.storable import storable
from ...domain.tenant import Tenant
from ...domain.token import Token, token_created, token_revoked
from .database import MemoryRunLogDatabase

_NOTED = timedelta(minutes=1)


class MemoryTokens:
    """:class:`~kubescribe.application.ports.tokens.Tokens` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database
        self._tokens: dict[bytes, Token] = {}

    async def add(self, token: Token, digest: bytes, *, lifetime: float | None, method: str | None = None) -> Token:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            expires = None if lifetime is None else now + timedelta(seconds=lifetime)
            token = msgspec.structs.replace(storable(token), created_at=now, expires_at=expires)
            self._tokens[digest] = token
            self._record(token_created(token, method=method))
            return token

    async def find(self, digest: bytes) -> Token | None:
        """See the port."""
        with self._database.transaction():
            token, now = self._tokens.get(digest), self._database.now()
            if token is None or token.revoked_at is not None:
                return None
            if token.expires_at is not None and token.expires_at <= now:
                return None
            if token.last_used_at is None or token.last_used_at <= now - _NOTED:
                token = self._tokens[digest] = msgspec.structs.replace(token, last_used_at=now)
            return token

    async def all(self, *, tenant: Tenant) -> tuple[Token, ...]:
        """See the port."""
        with self._database.transaction():
            tokens = [token for token in self._tokens.values() if token.tenant == tenant]
        return tuple(sorted(tokens, key=lambda token: (token.created_at, token.id), reverse=True))

    async def revoke(
        self, token_id: UUID, *, tenant: Tenant, actor: str, reason: str | None, method: str | None = None
    ) -> Token:
        """See the port."""
        with self._database.transaction():
            wanted = (token_id, tenant)
            digest = next((key for key, one in self._tokens.items() if (one.id, one.tenant) == wanted), None)
            if digest is None:
                raise TokenNotFound(token_id)
            token = self._tokens[digest]
            if token.revoked_at is None:
                token = self._tokens[digest] = msgspec.structs.replace(token, revoked_at=self._database.now())
                self._record(token_revoked(token, actor=actor, reason=reason, method=method))
            return token

    def _record(self, event: Event) -> None:
        self._database.record(msgspec.structs.replace(storable(event), at=self._database.now()))
