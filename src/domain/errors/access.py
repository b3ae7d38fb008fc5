"""Who may not do what."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import ConfigurationError, KubescribeError, TemporaryError


class NotAuthenticated(KubescribeError):
    """Nobody knows who asks. ``why`` is for the log: whoever asks learns nothing from it."""

    exit_code = ExitCode.USAGE

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__("this needs a valid token or session; `kubescribe token create` makes a token")


class NotAllowed(KubescribeError):
    """Somebody is known, and may not do this."""

    exit_code = ExitCode.USAGE

    def __init__(self, role: str, scope: str) -> None:
        self.role, self.scope = role, scope
        super().__init__(f"this needs the scope {scope}, which these credentials (role {role}) do not have")


class TokenNotFound(ConfigurationError):
    """There is no such token."""

    def __init__(self, token_id: object) -> None:
        self.token_id = token_id
        super().__init__(f"there is no token {token_id}; `kubescribe token list` lists them")


class IdentityProviderUnavailable(TemporaryError):
    """The identity provider's keys cannot be had, so nobody's token can be judged."""

    def __init__(self, issuer: str, why: str) -> None:
        self.issuer, self.why = issuer, why
        super().__init__(f"the keys of the identity provider {issuer} cannot be read: {why}")
