"""The :class:`~tests.support.cutting.Cutter` for tests that have no event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .cutting import Cutter


class Cuts:
    """A cutter that runs in a thread of its own."""

    def __init__(self, cutter: Cutter, loop: asyncio.AbstractEventLoop) -> None:
        self._cutter, self._loop = cutter, loop

    @property
    def port(self) -> int:
        return self._cutter.port

    @property
    def cuts(self) -> int:
        return self._cutter.cuts

    def arm(self) -> None:
        """From now on; returns when it is armed."""
        asyncio.run_coroutine_threadsafe(self._arm(), self._loop).result(5)

    async def _arm(self) -> None:
        self._cutter.arm()


@contextmanager
def cutting(server_port: int, *, deliver: bool) -> Iterator[Cuts]:
    """A way to the server at ``server_port``, until the end of the block."""
    loop = asyncio.new_event_loop()
    # A connection that breaks under the cutter, or is open when it ends, is what it is for, and no error.
    loop.set_exception_handler(lambda loop, context: None)
    thread = threading.Thread(target=loop.run_forever, name="cutter", daemon=True)
    thread.start()
    cutter = Cutter(server_port, deliver=deliver)
    asyncio.run_coroutine_threadsafe(cutter.start(), loop).result(5)
    try:
        yield Cuts(cutter, loop)
    finally:
        asyncio.run_coroutine_threadsafe(cutter.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
