"""Bearer tokens that somebody else has issued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class IdentityProvider(Protocol):
    """Verifies the tokens of one issuer (OIDC)."""

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What the token says, once its signature, issuer, audience and times have been found good.

        Raises :class:`NotAuthenticated`, and :class:`IdentityProviderUnavailable` where its keys cannot be had.
        """
        ...
