"""Bytes of a COPY as they come from the server, message by message, by psycopg."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .ahead import Ahead

if TYPE_CHECKING:
    import psycopg

_LOOK = 1.0
"""Seconds after which a wait looks whether it is still wanted."""


class Block(NamedTuple):
    """Whole rows, as the server wrote them."""

    data: bytes | bytearray
    rows: int | None
    """How many; None where only the end tells."""


class CopyOut:
    """``COPY (text) TO STDOUT``, begun by the constructor; owns the connection from then on.

    ``patience``: how many seconds the server may take over one block; None leaves that to its own timeout. A block
    ends after ``size`` bytes.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        text: str,
        options: str,
        *,
        patience: float | None = None,
        size: int = 8 * 2**20,
    ) -> None:
        from psycopg import errors, generators, pq

        self._connection, self._patience, self._size = connection, patience, size
        self._over = False
        self.changed: tuple[str, ...] | None = None
        """Only the session knows: whoever has it may ask."""
        self._ahead: Ahead[Block] | None = None
        self.total: int | None = None
        """The rows, as the server says at the end."""
        # The line break ends a comment that the text may end with. That the text is one statement by itself was seen
        # when the server described it, so it cannot close the bracket.
        connection.pgconn.send_query(f"{PREFIX}{text}\n) TO STDOUT ({options})".encode())
        (result,) = connection.wait(generators.execute(connection.pgconn))
        if result.status != pq.ExecStatus.COPY_OUT:
            raise errors.error_from_result(result, connection.info.encoding)

    def blocks(self) -> Iterator[Block]:
        """The rows, one block ahead of whoever takes them.

        A message of the server is a row, and the reader sees to it that each block holds as many as were counted.
        """
        self._ahead = Ahead(self._blocks())
        return iter(self._ahead)

    def close(self) -> None:
        """End the session, whatever it is doing."""
        self._abort()
        if self._ahead is not None:
            self._ahead.close()
        with suppress(Exception):
            self._connection.close()

    @property
    def closed(self) -> bool:
        """Whether its session has ended."""
        return bool(self._connection.closed)

    def _blocks(self) -> Iterator[Block]:
        take, wait, most = self._connection.pgconn.get_copy_data, self._wait, self._size
        data, count, waited = bytearray(), 0, 0.0
        while True:
            size, message = take(1)
            if size > 0:
                data += message
                count += 1
                if len(data) < most:
                    continue
                yield Block(data, count)
                data, count, waited = bytearray(), 0, 0.0
            elif size == 0:
                waited = wait(waited)
            else:
                break
        self._finish()
        if count:
            yield Block(data, count)

    def _abort(self) -> None:
        """End the session's socket, which ends a wait in another thread at once."""
        self._over = True
        with suppress(Exception), socket.socket(fileno=self._connection.fileno()) as ours:
            try:
                ours.shutdown(socket.SHUT_RDWR)
            finally:
                ours.detach()  # libpq closes it

    def _wait(self, waited: float) -> float:
        """Until something has come; gives the time spent waiting for this block."""
        import psycopg

        began = time.monotonic()
        left = _LOOK if self._patience is None else min(_LOOK, max(0.0, self._patience - waited))
        if self._over:
            raise psycopg.OperationalError("the session was ended")
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        came = poll.poll(left * 1000)
        waited += time.monotonic() - began
        if came:
            self._connection.pgconn.consume_input()
        elif self._patience is not None and waited >= self._patience:
            self._connection.cancel()
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return waited

    def _finish(self) -> None:
        """The server's last word: that was all, or an error."""
        from psycopg import errors, generators, pq

        for result in self._connection.wait(generators.execute(self._connection.pgconn)):
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result, self._connection.info.encoding)
            self.total = result.command_tuples


PREFIX = "COPY ("
"""What stands before the text."""
