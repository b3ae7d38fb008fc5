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
from . import copy_out, cursor_rows, failures
from .binds import bound
from .columns import Column, described
from .copy_rows import CopyRows
from .cursor_rows import CursorRows
from .literals import literals
from .session import allow
from .statement import Field, described_by_server

if TYPE_CHECKING:
    import polars as pl
    import psycopg


class PostgresReading:
    """A :class:`~kubescribe.application.ports.source.Reading`; owns ``connection``, whose transaction is open.

    ``refuse`` raises when nothing may be read any more; it is asked before every piece. ``patience`` is how many
    seconds the server may take over a piece of a scan, ``longest`` how many all of it may take.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        query: Query,
        parameters: Mapping[str, Any],
        *,
        batch: int | None,
        snapshot: str,
        patience: float,
        longest: float,
        refuse: Callable[[str], None],
    ) -> None:
        self._connection, self._query, self._parameters = connection, query, parameters
        self._batch, self._snapshot, self._refuse = batch, snapshot, refuse
        self._patience, self._longest = patience, longest
        self._rows = self._bytes = 0
        self._seconds = 0.0
        self._started = False
        began = time.monotonic()
        values = bound(parameters, name=query.name)
        self._rows_by, self._columns = self._begin([values[name] for name in query.names])
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
        if hasattr(self, "_rows_by"):
            self._rows_by.close()
        with suppress(Exception):
            self._connection.close()

    def _begin(self, values: list[Any]) -> tuple[CopyRows | CursorRows, list[Column]]:
        """Start the query: by COPY, or where literals could mean something else than binds do, by a cursor."""
        import psycopg

        query, connection = self._query, self._connection
        text, places = query.render({name: f"${number}" for number, name in enumerate(query.names, 1)})
        prefix = ""
        try:
            found, rendered = self._as_literals(text, values)
            if rendered is None:
                prefix = cursor_rows.PREFIX
                by_cursor = CursorRows(connection, text, values)
                columns = by_cursor.columns = self._described(by_cursor.fields)
                return by_cursor, columns
            columns = self._described(found)
            text, places = rendered
            prefix = copy_out.PREFIX
            patience = None
            if self._batch is not None:  # the consumer's time between two pieces is not the statement's
                patience = self._patience
                allow(connection, self._longest)
            return CopyRows(connection, text, columns, name=query.name, patience=patience), columns
        except psycopg.Error as error:
            raise failures.querying(error, query, self._parameters, places=places, prefix=len(prefix)) from None

    def _as_literals(
        self, text: str, values: list[Any]
    ) -> tuple[tuple[Field, ...], tuple[str, list[tuple[int, int]]] | None]:
        """The columns, and the query with literals for its binds; None where it is not the same query then."""
        import psycopg

        connection, query = self._connection, self._query
        if not values:
            found = described_by_server(connection, text)
            return found.fields, query.render({})
        connection.execute("SAVEPOINT literals")
        try:
            with_binds = literals(connection, text, values)
            if with_binds is not None:
                fields = with_binds[0].fields
                rendered = query.render(dict(zip(query.names, with_binds[1], strict=True)))
                if described_by_server(connection, rendered[0]).fields == fields:
                    return fields, rendered
        except (psycopg.Error, ValueError):  # the cursor will say it in its own words
            connection.execute("ROLLBACK TO SAVEPOINT literals")
        return (), None

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
        import psycopg

        pieces = self._rows_by.pieces(self._batch)
        while True:
            self._refuse(self._query.name)
            try:
                piece = next(pieces, None)
            except (psycopg.Error, OSError, ValueError) as error:
                self._refuse(self._query.name)  # somebody else closed the session: that is the better reason
                if not isinstance(error, psycopg.Error):
                    error = psycopg.OperationalError(str(error))
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
