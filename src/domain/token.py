"""Bearer tokens. Only a digest of one is ever kept; the text is shown once, when it is made."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from .access import Role, Scope
from .event import Event
from .principal import Method, Principal
from .tenant import DEFAULT_TENANT, Tenant

PREFIX = "ks_"
"""What every token begins with, so that scanners for leaked secrets find it."""
SECRET_BYTES = 32
"""256 bits: nobody guesses one, so a plain SHA-256 is enough to keep."""
_LENGTH = len(PREFIX) + 43


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a token; times are aware and by the database's clock."""

    id: UUID
    name: str
    """For people: what it is for."""
    tenant: Tenant = DEFAULT_TENANT
    role: Role
    scopes: frozenset[Scope]
    """What of the role's it has; never more."""
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    """To the minute: it is not written at every request."""

    def principal(self) -> Principal:
        """Whom the token speaks for."""
        return Principal(
            actor=f"token:{self.id}",
            tenant=self.tenant,
            role=self.role,
            scopes=self.scopes & self.role.scopes,  # a role that has lost a scope takes it from its tokens
            method=Method.TOKEN,
        )


def token_text(secret: bytes) -> str:
    """The token of these random bytes."""
    return PREFIX + encoded(secret)


def may_be_a_token(text: str) -> bool:
    """Whether the text looks like one of ours: nothing else is looked for."""
    return len(text) == _LENGTH and text.startswith(PREFIX) and text.isascii()


def encoded(secret: bytes) -> str:
    """Random bytes as text that needs no quoting anywhere."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest(text: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(text.encode()).digest()


def token_created(token: Token, *, method: str | None = None) -> Event:
    """The event of a new token: everything about it but its text."""
    data = {
        "name": token.name,
        "role": token.role,
        "scopes": sorted(token.scopes),
        "expires_at": None if token.expires_at is None else token.expires_at.isoformat(),
    }
    event = _event(token, "created", token.created_by, token.created_at, data)
    return msgspec.structs.replace(event, method=method, after={"valid": True})


def token_revoked(token: Token, *, actor: str, reason: str | None, method: str | None = None) -> Event:
    """The event of a token's end."""
    at, data = token.revoked_at or token.created_at, {"reason": reason} if reason else {}
    event = _event(token, "revoked", actor, at, data)
    return msgspec.structs.replace(event, method=method, reason=reason, before={"valid": True}, after={"valid": False})


def _event(token: Token, what: str, actor: str, at: datetime, data: dict[str, Any]) -> Event:
    return Event(subject=f"token:{token.id}", kind=f"token.{what}", actor=actor, at=at, tenant=token.tenant, data=data)
