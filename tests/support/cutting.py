"""A way to PostgreSQL that can be cut exactly at a COMMIT."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Cutter:
    """Passes bytes on until it is armed; then it cuts the connection that says COMMIT, once.

    With ``deliver`` the server gets the COMMIT and its answer is lost; without, the COMMIT itself is.
    """

    def __init__(self, server_port: int, *, deliver: bool) -> None:
        self._server_port, self._deliver = server_port, deliver
        self._armed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.cuts = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def arm(self) -> None:
        self._armed = True

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        upstream, upwriter = await asyncio.open_connection("127.0.0.1", self._server_port)
        back = asyncio.ensure_future(self._copy(upstream, writer))
        try:
            while data := await reader.read(65536):
                if self._armed and b"COMMIT" in data:
                    self._armed = False
                    self.cuts += 1
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    if self._deliver:
                        upwriter.write(data)
                        await upstream.read(1)  # it is done
                    break
                upwriter.write(data)
                await upwriter.drain()
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for end in (writer, upwriter):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()
