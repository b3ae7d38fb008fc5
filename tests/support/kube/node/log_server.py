"""The part of a kubelet's HTTPS server that serves ``kubectl logs``."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.kube.authority import Identity

from .container import Container
from .downward import ADDRESS

Finder = Callable[[str, str, str], Container | None]
"""The container by namespace, pod and name."""
_BLOCK = 1 << 16
_LOOK = 0.02  # seconds between looks at a log that is followed


class LogServer:
    """``GET /containerLogs/NAMESPACE/POD/CONTAINER`` with ``follow``, ``tailLines``, ``limitBytes``."""

    def __init__(self, authority: Path, identity: Identity, find: Finder) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(identity.certificate, identity.key)
        self._find = find
        self._server: asyncio.Server | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen; at the same port as before, when it was closed."""
        self._server = await asyncio.start_server(self._accept, ADDRESS, self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more, and break off what is followed."""
        if self._server is not None:
            self._server.close()
        for each in self._answers:
            each.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answers.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._answer(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._answers.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        url = urlsplit(request.split(" ", 2)[1])
        wanted = {name: values[0] for name, values in parse_qs(url.query).items()}
        words = [unquote(word) for word in url.path.strip("/").split("/")]
        if len(words) != 4 or words[0] != "containerLogs":
            return _refuse(writer, 404, "this node serves logs alone")
        if unknown := wanted.keys() - {"follow", "tailLines", "limitBytes"}:
            return _refuse(writer, 400, f"this node's logs have no {', '.join(sorted(unknown))}")
        container = self._find(words[1], words[2], words[3])
        if container is None or "waiting" in container.state:
            return _refuse(writer, 400, f'container "{words[3]}" in pod "{words[2]}" is waiting to start')
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
        await _send(writer, container, wanted)
        return None


def _refuse(writer: asyncio.StreamWriter, status: int, message: str) -> None:
    body = message.encode()
    head = (
        f"HTTP/1.1 {status} No\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)


async def _send(writer: asyncio.StreamWriter, container: Container, wanted: dict[str, str]) -> None:
    """What is there, then what comes, until the container has ended."""
    left = int(wanted.get("limitBytes", 1 << 62))
    with container.log.open("rb") as log:
        if "tailLines" in wanted:
            log.seek(_tail(container.log, int(wanted["tailLines"])))
        while left > 0:
            ended = "running" not in container.state  # asked before reading: what it printed last is read
            block = log.read(min(_BLOCK, left))
            if block:
                left -= len(block)
                writer.write(block)
                await writer.drain()
            elif ended or wanted.get("follow") != "true":
                return
            else:
                await asyncio.sleep(_LOOK)


def _tail(log: Path, lines: int) -> int:
    """Where the last lines begin."""
    content = log.read_bytes()
    at = len(content)
    for _ in range(lines):
        at = content.rfind(b"\n", 0, max(at - 1, 0)) + 1
    return at
