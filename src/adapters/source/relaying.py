"""One query whose rows are handed on as the server wrote them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...application.failpoints import failpoint
from ...application.ports.source import POSTGRES_BINARY, InputRecord
from ...domain.errors import QueryFailed
from ...domain.query import Query
from ...domain.report import schema_fingerprint
from . import copy_out, failures
from .copy_out import Block
from .copying import streamed
from .cursor_rows import CursorRows
from .rendering import Asked, Rendered
from .wire_types import columns_of

if TYPE_CHECKING:
    from .session import Session

_BLOCK = 2**20
"""Bytes on their way at a time."""


class PostgresRelay:
    """A :class:`~kubescribe.application.ports.source.Relay`; owns the session."""

    format = POSTGRES_BINARY

    def __init__(self, session: Session, query: Query, parameters: Mapping[str, Any]) -> None:
        self._session, self._query, self._parameters = session, query, parameters
        self._bytes = 0
        self._seconds = 0.0
        self._started = False
        began = time.monotonic()
        asked = Asked(query, parameters)
        rendered, prefix = asked.with_binds(), ""
        try:
            literal = self._literal(asked)
            rendered = literal
            self.columns = columns_of(session.connection, literal.fields, name=query.name)
            prefix = copy_out.PREFIX
            self._out = streamed(session, literal.text, "binary", size=_BLOCK)
        except failures.driver_errors() as error:
            raise failures.querying(error, query, parameters, places=rendered.places, prefix=len(prefix)) from None
        self._seconds += time.monotonic() - began

    def __iter__(self) -> Iterator[bytes | bytearray]:
        if self._started:
            raise QueryFailed(self._query.name, "it was iterated before; a query under way is read once")
        self._started = True
        return self._blocks(self._out.blocks())

    def record(self) -> InputRecord:
        """What was handed on; the rows are counted at the end. The taker's own time is not in ``seconds``."""
        return InputRecord(
            name=self._query.name,
            query_hash=self._query.hash,
            rows=self._out.total or 0,
            bytes=self._bytes,
            seconds=self._seconds,
            fingerprint=schema_fingerprint(self.columns),
            snapshot=self._session.snapshot,
        )

    @property
    def closed(self) -> bool:
        """Whether its session has ended."""
        return self._out.closed

    def close(self) -> None:
        """End the session, whatever it is doing."""
        self._out.close()

    def _literal(self, asked: Asked) -> Rendered:
        literal = asked.with_literals(self._session.connection)
        if literal is None:
            CursorRows(self._session.connection, asked.with_binds().text, asked.values)  # says what is wrong with it
            raise QueryFailed(
                asked.query.name,
                "one of its binds has no literal that means the same, and a copy takes no binds: cast it in the query, "
                "like CAST(:day AS date), or hand the rows over with run.report",
            )
        return literal

    def _blocks(self, blocks: Iterator[Block]) -> Iterator[bytes | bytearray]:
        try:
            while True:
                self._session.refuse(self._query.name)
                began = time.monotonic()
                block = self._next(blocks)
                self._seconds += time.monotonic() - began
                if block is None:
                    return
                self._bytes += len(block.data)
                failpoint("copy.block")
                yield block.data
        finally:
            self.close()

    def _next(self, blocks: Iterator[Block]) -> Block | None:
        try:
            block = next(blocks, None)
            if block is None:
                self._session.check_tables(self._query.name, self._out.changed)
            return block
        except failures.driver_errors() as error:
            self._session.refuse(self._query.name)  # somebody else closed the session: that is the better reason
            raise failures.querying(error, self._query, self._parameters) from None
