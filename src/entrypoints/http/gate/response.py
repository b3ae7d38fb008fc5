"""What every response carries, and the one way to answer from the gate itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from litestar.types import Message, Send

from ..problems import encoded, headers_of, kind_of
from ..views.problem import MEDIA_TYPE

SEND_TIMEOUT = 30.0
"""Seconds for which a client may take nothing of what it asked for."""

POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_ALWAYS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_HTTPS = (b"strict-transport-security", b"max-age=31536000")


def protected(headers: list[tuple[bytes, bytes]], scheme: str) -> list[tuple[bytes, bytes]]:
    """The headers with those that every response carries; what a route says itself stays."""
    said = {name.lower() for name, _ in headers}
    added = [(name, value) for name, value in _ALWAYS.items() if name not in said]
    return [*headers, *added, *([_HTTPS] if scheme == "https" else [])]


class Response:
    """The response to one request: its ``send``, with our headers, and nobody who takes it holds us up for ever."""

    def __init__(self, send: Send, scheme: str, on_start: Callable[[], None] | None = None) -> None:
        self._send = send
        self.scheme = scheme
        self.status: int | None = None
        self.on_start = on_start

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = protected(list(message["headers"]), self.scheme)
            if self.on_start is not None:
                self.on_start()
        async with asyncio.timeout(SEND_TIMEOUT):
            await self._send(message)

    async def refuse(self, error: Exception) -> None:
        """Answer with a problem; nothing where an answer has begun."""
        if self.status is not None:
            return
        body = encoded(error)
        headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **headers_of(error)}
        await self.send(
            {
                "type": "http.response.start",
                "status": kind_of(error).status,
                "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            }
        )
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
