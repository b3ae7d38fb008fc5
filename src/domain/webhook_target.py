"""Somebody's address for posts, with the secret that they are signed with."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode

import msgspec

from .errors import BadSetting
from .webhook_url import WebhookUrl

_PREFIX = "whsec_"
_SHORTEST = 16


class WebhookTarget(msgspec.Struct, frozen=True):
    """Where, and what proves that it is us; printed without either."""

    url: WebhookUrl
    key: bytes | None = None
    """None: the posts are not signed."""
    secret: str = ""
    """The key as it was written."""

    @classmethod
    def of(cls, url: WebhookUrl, secret: str | None, name: str) -> WebhookTarget:
        """Read the secret: ``whsec_`` and base64 as in Standard Webhooks, else its own characters.

        Raises :class:`BadSetting` for the variable ``name`` where it is too short to be one.
        """
        if not secret:
            return cls(url)
        if secret.startswith(_PREFIX):
            try:
                key = b64decode(secret.removeprefix(_PREFIX), validate=True)
            except (binascii.Error, ValueError):
                raise BadSetting(name, "behind whsec_ it must be base64") from None
        else:
            key = secret.encode()
        if len(key) < _SHORTEST:
            raise BadSetting(name, f"it must have at least {_SHORTEST} bytes; `openssl rand -base64 32` makes one")
        return cls(url, key, secret)

    def signature(self, message_id: str, timestamp: int, body: bytes) -> str | None:
        """``v1,`` and the HMAC-SHA256 of id, time and body (https://www.standardwebhooks.com); None without a key."""
        if self.key is None:
            return None
        signed = f"{message_id}.{timestamp}.".encode() + body
        return "v1," + b64encode(hmac.new(self.key, signed, hashlib.sha256).digest()).decode()

    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere."""
        return (*self.url.secrets(), *((self.secret, self.secret.removeprefix(_PREFIX)) if self.secret else ()))

    def __repr__(self) -> str:
        return repr(self.url)
