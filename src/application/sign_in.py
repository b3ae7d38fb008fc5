"""People at a browser: a link that works once, and the session that it begins."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from ..domain.access import Role
from ..domain.errors import NotAuthenticated
from ..domain.tenant import DEFAULT_TENANT, Tenant
from ..domain.token import SECRET_BYTES, digest, encoded
from ..domain.web_session import LINK_LIFETIME, SESSION_LIFETIME, WebSession
from .ports.ids import Ids
from .ports.randomness import Randomness
from .ports.web_sessions import WebSessions


class SignedIn(msgspec.Struct, frozen=True):
    """A session that has just begun, and its secret: for the cookie, and nowhere else."""

    session: WebSession
    secret: str


class SignIn:
    """Makes links, and sessions of them."""

    def __init__(self, *, sessions: WebSessions, ids: Ids, randomness: Randomness) -> None:
        self._sessions = sessions
        self._ids = ids
        self._randomness = randomness

    async def invite(
        self, role: Role, *, actor: str, tenant: Tenant = DEFAULT_TENANT, method: str | None = None
    ) -> str:
        """A code that signs ``actor`` in once, within the next quarter of an hour."""
        code = encoded(self._randomness.secret(SECRET_BYTES))
        now = datetime.now(UTC)  # RunLog puts its own clock's time
        session = WebSession(id=self._ids.new(), tenant=tenant, actor=actor, role=role, created_at=now, expires_at=now)
        await self._sessions.invite(session, digest(code), lifetime=LINK_LIFETIME, method=method)
        return code

    async def redeem(self, code: str, *, method: str | None = None) -> SignedIn:
        """The session of a code; raises :class:`NotAuthenticated` where it is unknown, used or too old."""
        secret = encoded(self._randomness.secret(SECRET_BYTES))
        session = await self._sessions.redeem(digest(code), digest(secret), lifetime=SESSION_LIFETIME, method=method)
        if session is None:
            raise NotAuthenticated("the sign-in link is unknown, used or too old")
        return SignedIn(session, secret)

    async def end(self, secret: str, *, method: str | None = None) -> None:
        """End the session of this secret; nothing where there is none."""
        session = await self._sessions.find(digest(secret))
        if session is not None:
            await self._sessions.end(session.id, method=method)
