"""Server-sent events: a stream that says that it lives, ends with the server, and with its reader's rights."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import msgspec
from litestar.response import Stream

from ...domain.errors import KubescribeError, NotAuthenticated
from .problems import TOO_MANY, Refused, encoded

MEDIA_TYPE = "text/event-stream"
PING = 15.0
"""Seconds of silence after which a comment is sent, so that no proxy takes the stream for dead."""
LOOK = 1.5
"""Seconds between two looks whether the reader may still read; what was looked up is remembered for some more."""
MOST = 200
MOST_OF_ONE = 20
"""Streams at once: of all, and of one principal."""

_END = b"event: end\ndata: {}\n\n"


def message(place: object, kind: str, data: object) -> bytes:
    """One message; after ``place`` the stream can be resumed (Last-Event-ID)."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (str(place).encode(), kind.encode(), msgspec.json.encode(data))


class Streams:
    """Counts the streams of a process, and writes them."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def answer(
        self,
        actor: str,
        messages: AsyncIterator[bytes],
        *,
        stopping: asyncio.Event,
        allowed: Callable[[], Awaitable[None]],
    ) -> Stream:
        """The stream as a response; ``allowed`` raises :class:`NotAuthenticated` when it may not go on."""
        if self._open[actor] >= MOST_OF_ONE or self._open.total() >= MOST:
            raise Refused(TOO_MANY, f"at most {MOST_OF_ONE} streams at once", Retry_After="5")
        stream = self._counted(actor, _written(messages, stopping, allowed))
        return Stream(stream, media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})

    async def _counted(self, actor: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        with self._counting(actor):
            async for piece in stream:
                yield piece

    @contextmanager
    def _counting(self, actor: str) -> Iterator[None]:
        self._open[actor] += 1
        try:
            yield
        finally:
            self._open[actor] -= 1
            if not self._open[actor]:
                del self._open[actor]


async def _written(
    messages: AsyncIterator[bytes], stopping: asyncio.Event, allowed: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """The messages as they come. Where it ends without ``event: end``, its reader may come back and resume."""
    yield b": here\n\n"  # the headers are sent with the first piece: the reader knows that it reads
    now = asyncio.get_running_loop().time
    looked = spoke = now()
    stop = asyncio.ensure_future(stopping.wait())
    coming = asyncio.ensure_future(anext(messages, None))
    try:
        while not stop.done():
            patience = max(0.0, looked + LOOK - now())
            done, _ = await asyncio.wait({stop, coming}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if now() - looked >= LOOK:  # also where there is always something to say
                await allowed()
                looked = now()
            if coming in done:
                piece = coming.result()
                if piece is None:
                    yield _END
                    return
                spoke = now()
                yield piece
                coming = asyncio.ensure_future(anext(messages, None))
            elif now() - spoke >= PING:
                spoke = now()
                yield b": still here\n\n"
    except NotAuthenticated:
        return
    except KubescribeError as error:
        yield b"event: problem\ndata: %s\n\n" % encoded(error)
    finally:
        for task in (stop, coming):
            task.cancel()
        await asyncio.gather(stop, coming, return_exceptions=True)
        close = getattr(messages, "aclose", None)
        if close is not None:
            await close()
