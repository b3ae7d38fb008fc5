"""Bearer tokens on record."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from ...domain.tenant import Tenant
from ...domain.token import Token


class Tokens(Protocol):
    """Tokens by the digest of their text. Times are the database's clock's. Raises ``DatabaseUnavailable``.

    A token of another tenant is as good as none for the verbs that take a tenant.
    """

    async def add(self, token: Token, digest: bytes, *, lifetime: float | None, method: str | None = None) -> Token:
        """Keep a token, and the event ``token.created`` with it in one transaction; the token with its times.

        ``lifetime`` in seconds; None: until it is revoked. ``method``: how it was asked for, as in the event.
        """
        ...

    async def find(self, digest: bytes) -> Token | None:
        """The token with this digest, of whatever tenant, if it is valid now: neither expired nor revoked.

        Notes that it was used, at most once a minute.
        """
        ...

    async def all(self, *, tenant: Tenant) -> tuple[Token, ...]:
        """The tenant's tokens, the newest first, also those that are not valid any more."""
        ...

    async def revoke(
        self, token_id: UUID, *, tenant: Tenant, actor: str, reason: str | None, method: str | None = None
    ) -> Token:
        """End the token's validity, and leave the event ``token.revoked`` in the same transaction.

        A token that is revoked already stays as it is, without another event. Raises :class:`TokenNotFound`.
        """
        ...
