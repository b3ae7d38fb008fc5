"""Serving an application: uvicorn in our own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from litestar.types import ASGIApp

from ...domain.errors import BadSetting
from .connection import Connection

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""
GRACE = 10
"""Seconds that requests may go on once the server was told to end; streams are told at once."""


class Server(uvicorn.Server):
    """uvicorn's, which wakes once a second while nothing happens, and says when it begins to end."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    async def main_loop(self) -> None:
        """See uvicorn: there ten times a second, for a Date header that has seconds."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            try:
                async with asyncio.timeout(1.0):
                    await self._wake.wait()
            except TimeoutError:
                continue
        self._stopping()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn: there the signal is raised once more at the end, and a clean end would look like a kill."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)


def server(app: ASGIApp, *, stopping: Callable[[], None]) -> Server:
    """A server for the application; ``stopping`` is called when it begins to end."""
    return Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            interface="asgi3",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # the gate knows whom to believe
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
        ),
        stopping,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; raises :class:`BadSetting` where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Named as TCP, or asyncio would not turn off Nagle's delays: 40 ms for each answer.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError) as error:
        raise BadSetting("--port", f"{host}:{port} cannot be listened on: {error}") from error
    listening.set_inheritable(False)
    return listening
