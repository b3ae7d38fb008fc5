"""One query under way on a session of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...application.ports.source import InputRecord
from ...domain.errors import QueryFailed
from ...domain.query import Query
from ...domain.report import Column as Described
from ...domain.report import schema_fingerprint
from . import copy_out, cursor_rows, failures
from .columns import Column, described
from .copy_rows import CopyRows
from .cursor_rows import CursorRows
from .rendering import Asked
from .statement import Field

if TYPE_CHECKING:
    import polars as pl

    from .session import Session


class PostgresReading:
    """A :class:`~kubescribe.application.ports.source.Reading`; owns the session."""

    def __init__(self, session: Session, query: Query, parameters: Mapping[str, Any], *, batch: int | None) -> None:
        self._session, self._query, self._parameters, self._batch = session, query, parameters, batch
        self._rows = self._bytes = 0
        self._seconds = 0.0
        self._started = False
        began = time.monotonic()
        self._rows_by, self._columns = self._begin(Asked(query, parameters))
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
            snapshot=self._session.snapshot,
        )

    @property
    def closed(self) -> bool:
        """Whether its session has ended."""
        if isinstance(self._rows_by, CopyRows):
            return self._rows_by.closed
        return bool(self._session.connection.closed)

    def close(self) -> None:
        """End the session, whatever it is doing."""
        if hasattr(self, "_rows_by"):
            self._rows_by.close()
        with suppress(Exception):
            self._session.connection.close()

    def _begin(self, asked: Asked) -> tuple[CopyRows | CursorRows, list[Column]]:
        """Start the query: by COPY, or where literals could mean something else than binds do, by a cursor."""
        connection = self._session.connection
        rendered, prefix = asked.with_binds(), ""
        try:
            literal = asked.with_literals(connection)
            if literal is None:
                prefix = cursor_rows.PREFIX
                by_cursor = CursorRows(connection, rendered.text, asked.values)
                columns = by_cursor.columns = self._described(by_cursor.fields)
                return by_cursor, columns
            columns = self._described(literal.fields)
            rendered, prefix = literal, copy_out.PREFIX
            return CopyRows(self._session, literal.text, columns, name=self._query.name, batch=self._batch), columns
        except failures.driver_errors() as error:
            raise failures.querying(
                error, self._query, self._parameters, places=rendered.places, prefix=len(prefix)
            ) from None

    def _described(self, fields: tuple[Field, ...]) -> list[Column]:
        return described(fields, name=self._query.name, whole=self._batch is None)

    def _frames(self) -> Iterator[pl.DataFrame]:
        pieces = self._pieces()
        try:
            some = False
            while True:
                frame, last = self._next(pieces)
                if frame.height or not some:
                    self._rows += frame.height
                    self._bytes += int(frame.estimated_size())
                    some = True
                    yield frame
                if last:
                    return
        finally:
            self.close()

    def _pieces(self) -> Iterator[pl.DataFrame]:
        """The pieces of all batches, with the driver's errors in our words."""
        pieces = self._rows_by.pieces(self._batch)
        while True:
            self._session.refuse(self._query.name)
            try:
                piece = next(pieces, None)
                if piece is None:
                    self._session.check_tables(self._query.name, self._rows_by.changed)
            except failures.driver_errors() as error:
                self._session.refuse(self._query.name)  # somebody else closed the session: that is the better reason
                raise failures.querying(error, self._query, self._parameters) from None
            if piece is None:
                return
            yield piece

    def _next(self, pieces: Iterator[pl.DataFrame]) -> tuple[pl.DataFrame, bool]:
        """The next batch, and whether the result ends with it."""
        import polars as pl

        began = time.monotonic()
        batch: list[pl.DataFrame] = []
        missing, last = self._batch, False
        while missing is None or missing > 0:
            piece = next(pieces, None)
            if piece is None:
                last = True
                break
            batch.append(piece)
            if missing is not None:
                missing -= piece.height
        frame = pl.concat(batch) if batch else pl.DataFrame([column.series([]) for column in self._columns])
        if any(column.free for column in self._columns):
            pairs = zip(self._columns, frame.iter_columns(), strict=True)
            frame = pl.DataFrame([column.settled(series) if column.free else series for column, series in pairs])
        self._seconds += time.monotonic() - began
        return frame, last
