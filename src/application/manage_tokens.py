"""Make bearer tokens, list them, and take them back."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from ..domain.access import Role, Scope
from ..domain.errors import ConfigurationError
from ..domain.tenant import DEFAULT_TENANT, Tenant
from ..domain.token import SECRET_BYTES, Token, digest, token_text
from .ports.ids import Ids
from .ports.randomness import Randomness
from .ports.tokens import Tokens


class CreateToken:
    """Makes a token; its text is in the answer, and nowhere else."""

    def __init__(self, *, tokens: Tokens, ids: Ids, randomness: Randomness) -> None:
        self._tokens = tokens
        self._ids = ids
        self._randomness = randomness

    async def __call__(
        self,
        name: str,
        role: Role,
        *,
        actor: str,
        tenant: Tenant = DEFAULT_TENANT,
        scopes: frozenset[Scope] | None = None,
        lifetime: float | None = None,
        method: str | None = None,
    ) -> tuple[Token, str]:
        """The token and its text. ``scopes``: None for all of the role's; ``lifetime`` in seconds."""
        if not 0 < len(name) <= 100 or not name.isprintable():
            raise ConfigurationError("a token's name is 1 to 100 printable characters, and says what it is for")
        beyond = sorted((scopes or frozenset()) - role.scopes)
        if beyond:
            raise ConfigurationError(
                f"role {role} has not {', '.join(beyond)}; it has {', '.join(sorted(role.scopes))}"
            )
        text = token_text(self._randomness.secret(SECRET_BYTES))
        token = Token(
            id=self._ids.new(),
            name=name,
            tenant=tenant,
            role=role,
            scopes=role.scopes if scopes is None else scopes,
            created_by=actor,
            created_at=datetime.now(UTC),  # RunLog puts its own clock's time
            expires_at=None,
        )
        return await self._tokens.add(token, digest(text), lifetime=lifetime, method=method), text


async def revoke_token(
    tokens: Tokens, token_id: UUID, *, tenant: Tenant, actor: str, reason: str | None, method: str | None = None
) -> Token:
    """The token, revoked; raises :class:`TokenNotFound`."""
    return await tokens.revoke(token_id, tenant=tenant, actor=actor, reason=reason, method=method)
