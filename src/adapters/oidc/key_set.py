"""An issuer's public keys: fetched when they are first needed, and again when it has changed them."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from ...domain.errors import IdentityProviderUnavailable

DISCOVERY = "/.well-known/openid-configuration"
_MAX_AGE = 300.0
"""Seconds after which the keys are fetched anew: a key that the issuer has withdrawn lives no longer."""
_LONGEST = 3600.0
"""Seconds for which keys are kept on while the issuer does not answer."""
_PAUSE = 10.0
"""Seconds between two fetches: tokens with made-up key ids must not make us a nuisance to the issuer."""
_LIMIT = 262_144
_TIMEOUT = 5.0

Fetch = Callable[[str], Any]
"""A JSON document by its address; raises ``OSError`` or ``ValueError``."""


class KeySet:
    """The keys of one issuer by their ids. For use in one event loop."""

    def __init__(
        self, issuer: str, address: str | None, algorithms: tuple[str, ...], fetch: Fetch | None = None
    ) -> None:
        """``address``: of the keys; None: where the issuer's discovery document says."""
        self._issuer = issuer
        self._address = address
        self._algorithms = algorithms
        self._fetch = fetch or fetch_json
        self._keys: dict[str, PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._turn = asyncio.Lock()

    async def key(self, key_id: str) -> PyJWK | None:
        """The key of this id; raises :class:`IdentityProviderUnavailable` where no keys can be had."""
        if not self._fresh() or key_id not in self._keys:
            async with self._turn:
                if not self._fresh() or key_id not in self._keys:
                    await self._renew()
        return self._keys.get(key_id)

    def _fresh(self) -> bool:
        return self._fetched is not None and monotonic() - self._fetched < _MAX_AGE

    async def _renew(self) -> None:
        now = monotonic()
        if self._tried is not None and now - self._tried < _PAUSE:
            if self._fetched is None:
                raise IdentityProviderUnavailable(self._issuer, "they could not be fetched a moment ago")
            return
        self._tried = now
        try:
            found = await asyncio.to_thread(self._load)
        except (OSError, ValueError, HTTPException, msgspec.MsgspecError) as error:
            if self._fetched is None or now - self._fetched > _LONGEST:
                self._keys, self._fetched = {}, None
                why = str(error)[:200] or type(error).__name__
                raise IdentityProviderUnavailable(self._issuer, why) from error
            return
        self._keys, self._fetched = found, now

    def _load(self) -> dict[str, PyJWK]:
        address = self._address
        if address is None:
            document = self._fetch(self._issuer.rstrip("/") + DISCOVERY)
            if not isinstance(document, Mapping) or document.get("issuer") != self._issuer:
                raise ValueError("its discovery document is another issuer's")
            address = document.get("jwks_uri")
            if not isinstance(address, str):
                raise ValueError("its discovery document names no keys")
        document = self._fetch(address)
        if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
            raise ValueError("it has no list of keys")
        keys: dict[str, PyJWK] = {}
        for given in document["keys"]:
            key = self._usable(given)
            if key is not None and key.key_id:
                keys[key.key_id] = key
        return keys

    def _usable(self, given: Any) -> PyJWK | None:
        """A public key that signs with one of our algorithms; what else is in the set concerns others."""
        if (
            not isinstance(given, dict)
            or given.get("use", "sig") != "sig"
            or given.get("kty") not in ("RSA", "EC", "OKP")
        ):
            return None
        if not isinstance(given.get("kid"), str):
            return None
        try:
            key = PyJWK({name: value for name, value in given.items() if name != "d"})
        except (PyJWTError, ValueError, TypeError):
            return None
        return key if key.algorithm_name in self._algorithms else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch_json(address: str) -> Any:
    """The JSON document at an ``https`` address (``http`` on this machine alone); no redirects, and a limited size."""
    parts = urlsplit(address)
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError(f"{parts.scheme}:// is not safe for keys; use https://")
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 - looked at above
    response: HTTPResponse
    with _OPENER.open(request, timeout=_TIMEOUT) as response:
        body = response.read(_LIMIT + 1)
    if len(body) > _LIMIT:
        raise ValueError("the answer is too long")
    return msgspec.json.decode(body)
