"""One client's connection, within limits that uvicorn leaves to others."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .gate.request_shape import HEADERS_LIMIT, URL_LIMIT
from .gate.response import protected
from .problems import BAD_REQUEST, HEADERS_TOO_LARGE, TIMED_OUT, Refused, encoded, headers_of
from .views.problem import MEDIA_TYPE

HEAD_TIMEOUT = 10.0
"""Seconds from the first byte of a request, or from the connection, to the end of its headers."""
HEAD_LIMIT = HEADERS_LIMIT + URL_LIMIT + 4_096
"""Bytes of a request before its body; what the gate is exact about, with some room."""
MOST_CONNECTIONS = 1_000
"""At once. Beyond that a connection is closed as soon as it is made: slow clients keep no others out for ever."""
_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


class Connection(HttpToolsProtocol):
    """uvicorn's, with a deadline and a size for what comes before the body."""

    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    """Bytes of the request's head so far; -1 while there is none to wait for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See uvicorn."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See uvicorn. A head that comes in pieces is counted before it is kept."""
        if self._head >= 0:
            self._head += len(data)
        elif self._deadline is None and self._between_requests():
            self._wait_for_head()
            self._head = len(data)
        super().data_received(data)
        if self._head > HEAD_LIMIT and not self.transport.is_closing():
            self._refuse(Refused(HEADERS_TOO_LARGE, f"a request's head is at most {HEAD_LIMIT} bytes"))

    def on_headers_complete(self) -> None:
        """See uvicorn."""
        self._stop_waiting()
        self._head = -1
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """See uvicorn; in the words of all other errors."""
        self._refuse(Refused(BAD_REQUEST, msg))

    def _between_requests(self) -> bool:
        return self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_TIMEOUT, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self._refuse(Refused(TIMED_OUT, f"the headers took longer than {HEAD_TIMEOUT:g} s"))

    def _refuse(self, error: Refused) -> None:
        """Answer and close, unless an answer is under way: then close."""
        self._stop_waiting()
        if self.cycle is None or self.cycle.response_complete:
            status, body = error.kind.status, encoded(error)
            headers: dict[str, Any] = {
                "content-type": MEDIA_TYPE,
                "content-length": str(len(body)),
                "connection": "close",
                **headers_of(error),
            }
            lines = protected([(name.encode(), str(value).encode()) for name, value in headers.items()], "http")
            head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
            reason = _REASONS.get(status, b"Bad Request")
            self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, reason, head, body))
        self.transport.close()
