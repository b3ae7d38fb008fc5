"""Which role an identity provider's claims give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from .access import Role
from .principal import Method, Principal
from .tenant import DEFAULT_TENANT, Tenant, may_be_a_tenant

ANYBODY = "*"
"""In place of a value: everybody whom the provider vouches for."""
_SUBJECT_LIMIT = 200


class ClaimRole(msgspec.Struct, frozen=True):
    """Whoever has ``value`` among the claim's values has this role, in this tenant."""

    value: str
    role: Role
    tenant: Tenant = DEFAULT_TENANT


def parse_claim_roles(text: str, tenant: Tenant = DEFAULT_TENANT) -> tuple[ClaimRole, ...]:
    """``admins=admin,ops=operator@team-a,*=viewer``; raises ``ValueError``. Without ``@``: of ``tenant``."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        value, equals, given = part.rpartition("=")
        role, at, named = given.partition("@")
        where = named if at else tenant
        if not equals or not value.strip() or not may_be_a_tenant(where):
            raise ValueError(part)
        found.append(ClaimRole(value.strip(), Role(role.strip()), where))
    return tuple(found)


def principal_of(claims: Mapping[str, Any], claim: str, roles: Iterable[ClaimRole]) -> Principal | None:
    """Whom the claims speak for: the first of ``roles`` that fits decides; None where none does.

    ``claims`` have been verified. Values are compared by equality. A claim that is one text counts as a list of one.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LIMIT or not subject.isprintable():
        return None
    given = claims.get(claim, ())
    values = {given} if isinstance(given, str) else {one for one in _list(given) if isinstance(one, str)}
    for one in roles:
        if one.value == ANYBODY or one.value in values:
            return Principal(
                actor=f"oidc:{subject}",
                tenant=one.tenant,
                role=one.role,
                scopes=one.role.scopes,
                method=Method.OIDC,
            )
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
