"""Who asks: a token, a person with a session, or somebody whom an identity provider vouches for."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from .access import Role, Scope
from .errors import NotAllowed
from .tenant import Tenant


class Method(StrEnum):
    """How somebody has shown who they are; kept with what they do."""

    TOKEN = "token"  # noqa: S105 - a word, no secret
    """A bearer token of ours."""

    SESSION = "session"
    """The cookie of a session that began with a sign-in link."""

    OIDC = "oidc"
    """A bearer token of an identity provider."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may do some things, in one tenant."""

    actor: str
    """As it is written down with everything that they do: ``token:<id>``, ``user:<name>``, ``oidc:<subject>``."""
    tenant: Tenant
    role: Role
    scopes: frozenset[Scope]
    """Never more than the role's."""
    method: Method

    def require(self, scope: Scope) -> None:
        """Raise :class:`~kubescribe.domain.errors.NotAllowed` without this scope."""
        if scope not in self.scopes:
            raise NotAllowed(self.role, scope)
