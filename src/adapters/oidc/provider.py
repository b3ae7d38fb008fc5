"""Verifying an issuer's bearer tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from ...domain.errors import NotAuthenticated
from .key_set import Fetch, KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What may be allowed at all: signatures by a public key. A shared secret (HS…) and ``none`` are not among them."""
LEEWAY = 30
"""Seconds that the issuer's clock may differ from ours."""
_TYPES = ("jwt", "at+jwt", "application/at+jwt")


class OidcProvider:
    """:class:`~kubescribe.application.ports.identity_provider.IdentityProvider` by OIDC's rules.

    The key is chosen by the issuer's own set and the token's ``kid`` alone: no address or key in the token is looked
    at. The algorithm has to be one that is allowed here *and* the one that the key is for.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        keys_address: str | None = None,
        algorithms: tuple[str, ...] = ("RS256", "ES256"),
        fetch: Fetch | None = None,
    ) -> None:
        if not algorithms or not set(algorithms) <= set(ALGORITHMS):
            raise ValueError(f"algorithms are some of {', '.join(ALGORITHMS)}")
        self._issuer = issuer
        self._audience = audience
        self._algorithms = algorithms
        self._keys = KeySet(issuer, keys_address, algorithms, fetch)

    async def claims(self, token: str) -> Mapping[str, Any]:
        """See the port."""
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError) as error:
            raise NotAuthenticated("it is no token") from error
        key_id, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in self._algorithms or not isinstance(key_id, str):
            raise NotAuthenticated("its header names no key, or an algorithm that is not allowed")
        if "crit" in header or "b64" in header or str(header.get("typ", "jwt")).lower() not in _TYPES:
            raise NotAuthenticated("its header asks for what is not known here")
        key = await self._keys.key(key_id)
        if key is None or key.algorithm_name != algorithm:
            raise NotAuthenticated("its key is not the issuer's, or is for another algorithm")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub"],
                    "enforce_minimum_key_length": True,
                },
            )
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise NotAuthenticated(f"{type(error).__name__}: {error}") from error
        return claims
