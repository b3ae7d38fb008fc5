"""One query under way on a session of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...application.ports.source import InputRecord
from ...domain.errors import QueryFailed
from ...domain.query import Query
from ...domain.report import Column as Described
from ...domain.report import schema_fingerprint
from . import failures
from .binds import bound
from .columns import described

if TYPE_CHECKING:
    import polars as pl
    import psycopg

STEP = 10_000
"""The most rows that are Python objects at a time, whatever the batch."""
_DECLARE = "DECLARE reading NO SCROLL CURSOR FOR "


class PostgresReading:
    """A :class:`~kubescribe.application.ports.source.Reading`; owns ``connection``, whose transaction is open.

    ``refuse`` raises when nothing may be read any more; it is asked before every fetch.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        query: Query,
        parameters: Mapping[str, Any],
        *,
        batch: int | None,
        snapshot: str,
        refuse: Callable[[str], None],
    ) -> None:
        import psycopg

        self._connection, self._query, self._parameters = connection, query, parameters
        self._batch, self._snapshot, self._refuse = batch, snapshot, refuse
        self._rows = self._bytes = 0
        self._seconds = 0.0
        self._started = False
        began = time.monotonic()
        text, places = query.render({name: f"${number}" for number, name in enumerate(query.names, 1)})
        values = bound(parameters, name=query.name)
        self._cursor = psycopg.RawCursor(connection)
        try:
            # The extended protocol: values never become a part of the text, and one statement is one statement.
            self._cursor.execute((_DECLARE + text).encode(), [values[name] for name in query.names])
        except psycopg.Error as error:
            raise failures.querying(error, query, parameters, places=places, prefix=len(_DECLARE)) from None
        description = connection.pgconn.describe_portal(b"reading")
        fields = [
            ((description.fname(i) or b"").decode(), description.ftype(i), description.fmod(i))
            for i in range(description.nfields)
        ]
        self._columns = described(fields, name=query.name, whole=batch is None)
        self._seconds += time.monotonic() - began

    def __iter__(self) -> Iterator[pl.DataFrame]:
        if self._started:
            raise QueryFailed(self._query.name, "it was iterated before; a query under way is read once")
        self._started = True
        return self._frames()

    def record(self) -> InputRecord:
        """What was read so far; the consumer's own time is not in ``seconds``."""
        return InputRecord(
            name=self._query.name,
            query_hash=self._query.hash,
            rows=self._rows,
            bytes=self._bytes,
            seconds=self._seconds,
            fingerprint=schema_fingerprint(
                tuple(Described(c.name, "Decimal" if c.free else str(c.dtype)) for c in self._columns)
            ),
            snapshot=self._snapshot,
        )

    @property
    def closed(self) -> bool:
        """Whether its session has ended."""
        return bool(self._connection.closed)

    def close(self) -> None:
        """End the session, whatever it is doing."""
        with suppress(Exception):
            self._connection.close()

    def _frames(self) -> Iterator[pl.DataFrame]:
        try:
            some = False
            while True:
                frame, last = self._next()
                if frame.height or not some:
                    self._rows += frame.height
                    self._bytes += int(frame.estimated_size())
                    some = True
                    yield frame
                if last:
                    return
        finally:
            self.close()

    def _next(self) -> tuple[pl.DataFrame, bool]:
        """The next batch, and whether the result ends with it."""
        import polars as pl

        began = time.monotonic()
        pieces: list[pl.DataFrame] = []
        missing, last = self._batch, False
        while not last and (missing is None or missing > 0):
            wanted = STEP if missing is None else min(STEP, missing)
            piece = self._fetch(wanted)
            last = piece.height < wanted
            pieces.append(piece)
            if missing is not None:
                missing -= wanted
        frame = pl.concat(pieces)
        free = [column for column in self._columns if column.free]
        if free:
            frame = frame.with_columns(column.settled(frame[column.name]) for column in free)
        self._seconds += time.monotonic() - began
        return frame, last

    def _fetch(self, wanted: int) -> pl.DataFrame:
        import polars as pl
        import psycopg

        self._refuse(self._query.name)
        try:
            self._cursor.execute(f"FETCH FORWARD {wanted} FROM reading".encode())
            rows = self._cursor.fetchall()
        except psycopg.Error as error:
            self._refuse(self._query.name)  # somebody else closed the session: that is the better reason
            raise failures.querying(error, self._query, self._parameters) from None
        values: list[Any] = list(zip(*rows, strict=True)) if rows else [() for _ in self._columns]
        return pl.DataFrame([column.series(each) for column, each in zip(self._columns, values, strict=True)])
