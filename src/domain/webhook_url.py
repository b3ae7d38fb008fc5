"""An address that takes posts; whoever knows all of it may post there, so it is a secret."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from .errors import BadSetting

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class WebhookUrl(msgspec.Struct, frozen=True):
    """An ``https`` address; ``http`` is taken on this machine alone. Printed without what is behind the host."""

    url: str
    """All of it: a secret."""

    @classmethod
    def parse(cls, text: str, name: str) -> WebhookUrl:
        """Read a URL; raises :class:`BadSetting` for the variable ``name``, which never quotes it."""
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise BadSetting(name, "it is no URL; write it as https://host/path") from None
        if parts.scheme not in ("https", "http") or not host or not text.isascii() or not text.isprintable():
            raise BadSetting(name, "it must be a URL that begins with https://")
        if parts.scheme == "http" and host not in _LOOPBACK:
            raise BadSetting(name, "it must begin with https://: what is posted could be read and changed on its way")
        if parts.username is not None or parts.fragment or " " in text:
            raise BadSetting(name, "it must have no user, no password, no # and no space")
        return cls(text)

    @property
    def shown(self) -> str:
        """Host and port alone."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere: all of it, and what is behind the host."""
        behind = self.url.removeprefix(self.shown).lstrip("/")
        return (self.url, behind) if behind else (self.url,)

    def __repr__(self) -> str:
        return f"{self.shown}/•••"
