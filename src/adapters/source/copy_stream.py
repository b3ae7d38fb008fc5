"""Rows by COPY on a session of asyncpg: many rows at a time, where libpq hands over one.

It reads in the snapshot of a session of psycopg's, which has described the query. Whatever keeps it from beginning
(a pooler that loses snapshots, a way to log in that asyncpg lacks) is no error: then that session reads itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple

import asyncpg

from .copy_out import Block
from .failures import ServerSaid
from .moment import CHANGED

_FULL = 128 * 2**10
"""Bytes that are worth a turn of the loop: it reads at most twice as many."""
_WAIT = 0.001
"""Seconds in which a server that is under way sends about as many."""
_WARM = 2**20
"""Bytes after which it pays to wait for more of them."""
_GOODBYE_SECONDS = 2.0
_LOCK_MILLISECONDS = 200
_OLD = 0.25
"""Seconds after which a block is handed over however small it is."""


class Statement(NamedTuple):
    """What is copied, and where from."""

    address: Mapping[str, Any]
    """For ``asyncpg.connect``."""
    begin: str
    """What opens the session's transaction."""
    query: str
    options: Mapping[str, Any]
    """Of COPY, by asyncpg's names."""


class CopyStream:
    """``COPY (query) TO STDOUT``; begun when the constructor returns, which raises whatever kept it from that.

    ``patience``: how many seconds the server may send nothing while it is waited for; None: as long as it likes. A
    block ends after ``size`` bytes, at a row's end.
    """

    def __init__(self, statement: Statement, *, patience: float | None, size: int) -> None:
        self._statement, self._patience, self._size = statement, patience, size
        self.total: int | None = None
        """The rows, as the server says at the end."""
        self.changed: tuple[str, ...] | None = None
        """Tables that no longer hold the rows of the snapshot; known at the end."""
        self._over = False
        self._begun: Future[asyncio.AbstractEventLoop] = Future()
        self._made: SimpleQueue[Block | BaseException | None] = SimpleQueue()
        self._blocks: list[bytes] = []
        self._held = self._passed = 0
        self._since = 0.0
        self._thread = threading.Thread(target=self._run, name="copy-stream", daemon=True)
        self._thread.start()
        self._loop = self._begun.result()

    def blocks(self) -> Iterator[Block]:
        """The rows; an error comes where the next block would have come."""
        while (made := self._made.get()) is not None:
            if isinstance(made, BaseException):
                raise made
            with suppress(RuntimeError):  # the loop has ended: everything is here
                self._loop.call_soon_threadsafe(self._room.release)
            yield made

    def close(self) -> None:
        """End the session, whatever it is doing; whoever waits for a block gets an error."""
        self._over = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)
        if self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def closed(self) -> bool:
        """Whether its session has ended."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._copy())
            self._made.put(None)
        except BaseException as error:
            known = _known(error)
            if self._begun.done():
                self._made.put(known)
            else:
                self._begun.set_exception(known)

    async def _copy(self) -> None:
        connection = await asyncpg.connect(**self._statement.address)
        try:
            await connection.execute(self._statement.begin)
            await self._lock(connection)
            self._room = asyncio.Semaphore(1)  # one block waits to be taken while the next is made
            task = asyncio.current_task()
            assert task is not None
            self._task, self._patient = task, True
            loop = asyncio.get_running_loop()
            self._begun.set_result(loop)
            self._heard = self._since = loop.time()
            watch = loop.create_task(self._watch()) if self._patience is not None else None
            try:
                # The line break ends a comment that the text may end with. That the text is one statement by itself
                # was seen when the server described it, so it cannot close the bracket.
                said = await connection.copy_from_query(
                    self._statement.query + "\n", output=self._take, **self._statement.options
                )
            finally:
                if watch is not None:
                    watch.cancel()
            self.changed = tuple(row[0] for row in await connection.fetch(CHANGED))
            if self._blocks:
                await self._hand_over()
            self.total = int(said.split()[-1])
            with suppress(Exception):  # everything is here
                await connection.close(timeout=_GOODBYE_SECONDS)
        except asyncio.CancelledError:
            if self._over:
                raise ServerSaid(None, "the session was ended") from None
            with suppress(Exception):
                await connection.close(timeout=_GOODBYE_SECONDS)  # waits until the server has been told to stop
            raise ServerSaid("57014", "canceling statement due to statement timeout") from None
        finally:
            connection.terminate()  # whatever state it is in

    async def _lock(self, connection: asyncpg.Connection) -> None:
        """Lock the tables before the session that has described the query lets go of them: nothing comes in between.

        It must not wait: whoever changes a table and waits for that session would make us wait, and that one for us.
        """
        await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
        await connection.execute(f"DECLARE locked NO SCROLL CURSOR FOR {self._statement.query}\n")
        await connection.execute("CLOSE locked; SET LOCAL lock_timeout TO DEFAULT")

    async def _take(self, data: bytes) -> None:
        """What one turn of the loop has read: rows that end where it ends."""
        self._blocks.append(data)
        self._held += len(data)
        self._passed += len(data)
        loop = asyncio.get_running_loop()
        if self._held >= self._size or loop.time() - self._since > _OLD:
            await self._hand_over()
            self._since = loop.time()
        elif len(data) < _FULL and self._passed > _WARM:
            # Turns are what costs, and the server's pieces are small: let some come together.
            await asyncio.sleep(_WAIT)
        self._heard = loop.time()

    async def _hand_over(self) -> None:
        self._patient = False  # now it is the taker who takes his time
        await self._room.acquire()
        self._made.put(Block(b"".join(self._blocks), None))
        self._blocks, self._held, self._patient = [], 0, True

    async def _watch(self) -> None:
        """End a server that sends nothing for too long."""
        assert self._patience is not None
        loop = asyncio.get_running_loop()
        while True:
            silent = loop.time() - self._heard if self._patient else 0.0
            if silent >= self._patience:
                self._task.cancel()
                return
            await asyncio.sleep(self._patience - silent)

    def _end(self) -> None:
        self._task.cancel()


def _known(error: BaseException) -> BaseException:
    """The driver's errors in a shape that does not hang on the driver."""
    if isinstance(error, asyncpg.PostgresError):
        position = getattr(error, "position", None)
        return ServerSaid(
            getattr(error, "sqlstate", None),
            str(getattr(error, "message", None) or error),
            None if position is None else int(position),
            getattr(error, "hint", None),
        )
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)):
        return ServerSaid(None, str(error) or type(error).__name__)
    return error
