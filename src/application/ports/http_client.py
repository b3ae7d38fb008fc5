"""Posting to somebody's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from ...domain.webhook_url import WebhookUrl


class HttpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered."""

    status: int
    text: str = ""
    """The beginning of the body, for people."""
    retry_after: float | None = None
    """Seconds that the server asks to wait, where it says so."""


class HttpClient(Protocol):
    """Posts JSON. Follows no redirect; certificates are verified."""

    async def post(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """The answer, whatever its status; ``headers``: more of them.

        Raises :class:`PostFailed` where none came, though the post may have.
        """
        ...
