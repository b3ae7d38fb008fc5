"""Sessions of people at a browser: a link that works once, then a cookie."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from uuid import UUID

import msgspec

from .access import Role
from .event import Event
from .principal import Method, Principal
from .tenant import DEFAULT_TENANT, Tenant
from .token import encoded

LINK_LIFETIME = 900.0
"""Seconds for which a sign-in link waits to be used."""
SESSION_LIFETIME = 43_200.0
"""Seconds, from the sign-in on: a working day."""


class WebSession(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in; times are aware and by the database's clock."""

    id: UUID
    tenant: Tenant = DEFAULT_TENANT
    actor: str
    role: Role
    created_at: datetime
    expires_at: datetime
    """Of the link until it is used, of the session afterwards."""

    def principal(self) -> Principal:
        """Whom the session speaks for."""
        return Principal(
            actor=self.actor, tenant=self.tenant, role=self.role, scopes=self.role.scopes, method=Method.SESSION
        )


def csrf_token(secret: str) -> str:
    """What a page has to send along when it changes something: bound to the session, and no way back to its secret."""
    return encoded(hmac.digest(secret.encode(), b"kubescribe csrf", hashlib.sha256))


def session_event(session: WebSession, what: str, *, method: str | None = None) -> Event:
    """The event of a link that was made (``invited``), of a session that ``began`` or ``ended``."""
    before = {"invited": None, "began": "invited", "ended": "signed in"}[what]
    after = {"invited": "invited", "began": "signed in", "ended": "ended"}[what]
    return Event(
        subject=f"session:{session.id}",
        kind=f"session.{what}",
        actor=session.actor,
        at=session.created_at,
        tenant=session.tenant,
        method=method,
        before=None if before is None else {"state": before},
        after={"state": after},
        data={"role": session.role},
    )
