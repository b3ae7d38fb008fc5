"""A client of an application in this process, which sees answers as they come: streams too."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import msgspec

from .api_world import http_scope
from .sse import Messages

_LONGEST = 60.0
"""Seconds that anything may take."""


class AppClient:
    """The same questions as ``ApiProcess`` takes: ``with AppClient(app, token) as client: client.ask("GET", "/runs")``.

    The application has one event loop, in a thread of its own.
    """

    def __init__(self, app: Any, token: str) -> None:
        self._app, self.token = app, token
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="app", daemon=True)

    def __enter__(self) -> AppClient:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LONGEST)
        self._loop.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request: status, headers, body."""
        exchange = self._begin(method, path, None if body is None else msgspec.json.encode(body), headers)
        exchange.over.result(_LONGEST)
        return exchange.status, exchange.headers, b"".join(exchange.pieces())

    @contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[Messages]:
        """Follow; whoever leaves is gone for the application."""
        exchange = self._begin("GET", path, None, headers)
        try:
            yield Messages(exchange.readline)
        finally:
            self._loop.call_soon_threadsafe(exchange.gone.set)
            exchange.over.result(_LONGEST)

    def _begin(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> _Exchange:
        given = [(name.replace("_", "-").lower(), value) for name, value in headers.items()]
        given.append(("authorization", f"Bearer {self.token}"))
        if body is not None:
            given += [("content-type", "application/json"), ("content-length", str(len(body)))]
        exchange = _Exchange(body or b"")
        asking = self._app(http_scope(method, path, *given), exchange.receive, exchange.send)
        exchange.over = asyncio.run_coroutine_threadsafe(asking, self._loop)
        exchange.over.add_done_callback(lambda _: exchange.coming.put(b""))
        return exchange


class _Exchange:
    """One request and what is answered."""

    over: Future[None]

    def __init__(self, body: bytes) -> None:
        self.status, self.headers = 0, dict[str, str]()
        self.coming: queue.Queue[bytes] = queue.Queue()
        """Of the body; an empty piece is its end."""
        self.gone = asyncio.Event()
        self._given = [{"type": "http.request", "body": body, "more_body": False}]
        self._line = b""

    async def receive(self) -> dict[str, Any]:
        if self._given:
            return self._given.pop()
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        elif message.get("body"):
            self.coming.put(message["body"])

    def pieces(self) -> Iterator[bytes]:
        while piece := self.coming.get(timeout=_LONGEST):
            yield piece

    def readline(self) -> bytes:
        while b"\n" not in self._line:
            piece = self.coming.get(timeout=_LONGEST)
            if not piece:
                return b""
            self._line += piece
        line, _, self._line = self._line.partition(b"\n")
        return line + b"\n"
