"""Find out who asks."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..domain.claim_roles import ClaimRole, principal_of
from ..domain.errors import NotAuthenticated
from ..domain.principal import Principal
from ..domain.token import digest, may_be_a_token
from ..domain.web_session import csrf_token
from .ports.clock import Clock
from .ports.identity_provider import IdentityProvider
from .ports.tokens import Tokens
from .ports.web_sessions import WebSessions

REMEMBERED = 3.0
"""Seconds for which an answer of RunLog is taken to hold; so revoking takes effect within five."""
_MOST = 1024
_LONGEST = 16_384
"""Characters of a bearer token that are looked at; an identity provider's with many groups has a few thousand."""

T = TypeVar("T")


class Trust:
    """The identity provider whose tokens are accepted, and what its claims mean here."""

    def __init__(self, provider: IdentityProvider, claim: str, roles: tuple[ClaimRole, ...]) -> None:
        self.provider = provider
        self.claim = claim
        self.roles = roles


class Authenticate:
    """Credentials in, a principal out. Only digests are kept, in memory too.

    Raises :class:`NotAuthenticated`, and ``DatabaseUnavailable`` or :class:`IdentityProviderUnavailable` where nobody
    can say.
    """

    def __init__(self, *, tokens: Tokens, sessions: WebSessions, clock: Clock, trust: Trust | None = None) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._clock = clock
        self._trust = trust
        self._known: dict[bytes, tuple[Principal, float]] = {}

    def remembers(self, secret: str) -> bool:
        """Whether the answer is at hand, and costs nobody anything."""
        known = self._known.get(digest(secret))
        return known is not None and known[1] > self._clock.monotonic()

    async def __call__(self, bearer: str | None, session: str | None) -> Principal:
        """Whom the credentials of one request speak for: a bearer token's word comes before a cookie's."""
        if bearer is not None:
            return await self.bearer(bearer)
        if session is not None:
            return await self.session(session)
        raise NotAuthenticated("it shows no credentials")

    async def bearer(self, text: str) -> Principal:
        """Whom a bearer token speaks for."""
        if len(text) > _LONGEST:
            raise NotAuthenticated("the token is too long to be one")
        if may_be_a_token(text):
            return await self._remembered(text, self._token)
        if self._trust is None or text.count(".") != 2:
            raise NotAuthenticated("it is no token of ours")
        # Not remembered: it holds its own end, and checking it costs no database.
        claims = await self._trust.provider.claims(text)
        principal = principal_of(claims, self._trust.claim, self._trust.roles)
        if principal is None:
            raise NotAuthenticated("its claims give no role here")
        return principal

    async def session(self, secret: str) -> Principal:
        """Whom a session's cookie speaks for."""
        if len(secret) != 43 or not secret.isascii():
            raise NotAuthenticated("it is no session of ours")
        return await self._remembered(secret, self._session)

    def forget(self, secret: str) -> None:
        """A session that has just ended is not remembered."""
        self._known.pop(digest(secret), None)

    async def _token(self, key: bytes) -> Principal | None:
        token = await self._tokens.find(key)
        return None if token is None else token.principal()

    async def _session(self, key: bytes) -> Principal | None:
        session = await self._sessions.find(key)
        return None if session is None else session.principal()

    async def _remembered(self, secret: str, find: Callable[[bytes], Awaitable[Principal | None]]) -> Principal:
        key, now = digest(secret), self._clock.monotonic()
        known = self._known.get(key)
        if known is not None and known[1] > now:
            return known[0]
        self._known.pop(key, None)
        principal = await find(key)
        if principal is None:
            raise NotAuthenticated("it is unknown, expired or revoked")
        if len(self._known) >= _MOST:
            self._known = {one: entry for one, entry in self._known.items() if entry[1] > now}
        if len(self._known) < _MOST:
            self._known[key] = (principal, now + REMEMBERED)
        return principal


def csrf_fits(secret: str, given: str) -> bool:
    """Whether this is the session's CSRF token; compared in constant time."""
    return hmac.compare_digest(csrf_token(secret).encode(), given.encode(errors="replace"))
