"""Tokens, sessions, and who is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...application.authenticate import Authenticate, Trust
from ..settings import Settings

if TYPE_CHECKING:
    from ...adapters.postgres.leadership import PostgresLeadership
    from ...adapters.postgres.tokens import PostgresTokens
    from ...adapters.postgres.web_sessions import PostgresWebSessions
    from ...adapters.system.randomness import SystemRandomness
    from ...application.manage_tokens import CreateToken
    from ...application.sign_in import SignIn


def tokens(engine: Any) -> PostgresTokens:
    """Bearer tokens in RunLog."""
    from ...adapters.postgres.tokens import PostgresTokens

    return PostgresTokens(engine)


def web_sessions(engine: Any) -> PostgresWebSessions:
    """WebSessions in RunLog."""
    from ...adapters.postgres.web_sessions import PostgresWebSessions

    return PostgresWebSessions(engine)


def leadership(engine: Any) -> PostgresLeadership:
    """Leases in RunLog."""
    from ...adapters.postgres.leadership import PostgresLeadership

    return PostgresLeadership(engine)


def randomness() -> SystemRandomness:
    """The operating system's."""
    from ...adapters.system.randomness import SystemRandomness

    return SystemRandomness()


def create_token(tokens: Any, ids: Any, randomness: Any) -> CreateToken:
    """The use case."""
    from ...application.manage_tokens import CreateToken

    return CreateToken(tokens=tokens, ids=ids, randomness=randomness)


def sign_in(sessions: Any, ids: Any, randomness: Any) -> SignIn:
    """The use case."""
    from ...application.sign_in import SignIn

    return SignIn(sessions=sessions, ids=ids, randomness=randomness)


def authenticate(settings: Settings, tokens: Any, sessions: Any, clock: Any) -> Authenticate:
    """The use case, with the identity provider of the settings."""
    return Authenticate(tokens=tokens, sessions=sessions, clock=clock, trust=_trust(settings))


def _trust(settings: Settings) -> Trust | None:
    oidc = settings.api.oidc
    if oidc is None:
        return None
    from ...adapters.oidc.provider import OidcProvider

    provider = OidcProvider(oidc.issuer, oidc.audience, keys_address=oidc.keys, algorithms=oidc.algorithms)
    return Trust(provider, oidc.claim, oidc.roles)
