"""Signing in, and who one is."""

from __future__ import annotations

import msgspec

from ....domain.principal import Principal


class SignInRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code of a sign-in link."""

    code: str


class PrincipalView(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do."""

    actor: str
    tenant: str
    role: str
    scopes: tuple[str, ...]
    method: str
    csrf_token: str | None
    """Of a session: to be sent as ``X-CSRF-Token`` with everything that changes something."""

    @classmethod
    def of(cls, principal: Principal, csrf_token: str | None) -> PrincipalView:
        """The view of a principal."""
        return cls(
            actor=principal.actor,
            tenant=principal.tenant,
            role=principal.role,
            scopes=tuple(sorted(principal.scopes)),
            method=principal.method,
            csrf_token=csrf_token,
        )
