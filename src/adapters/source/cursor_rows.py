"""Rows by a cursor, with real binds: for what COPY cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .columns import Column
from .statement import Field, fields_of

if TYPE_CHECKING:
    import polars as pl
    import psycopg

STEP = 10_000
"""The most rows that are Python objects at a time, whatever the batch."""
PREFIX = "DECLARE reading NO SCROLL CURSOR FOR "
"""What stands before the text."""


class CursorRows:
    """The rows of a query, begun by the constructor; ``text`` has ``$1`` to ``$n`` for the values."""

    def __init__(self, connection: psycopg.Connection[Any], text: str, values: Sequence[Any]) -> None:
        import psycopg

        self._cursor = psycopg.RawCursor(connection)
        # The extended protocol: values never become a part of the text, and one statement is one statement.
        self._cursor.execute((PREFIX + text).encode(), list(values))
        self.fields: tuple[Field, ...] = fields_of(connection.pgconn.describe_portal(b"reading"))
        self.columns: Sequence[Column] = ()

    def pieces(self, batch: int | None) -> Iterator[pl.DataFrame]:
        """The rows in pieces, one of which ends after every ``batch`` rows."""
        missing = batch
        while True:
            wanted = STEP if missing is None else min(STEP, missing)
            piece = self._fetch(wanted)
            if piece.height:
                yield piece
            if piece.height < wanted:
                return
            if missing is not None:
                missing = missing - wanted or batch

    @property
    def changed(self) -> None:
        """Only the session knows: whoever has it may ask."""

    def close(self) -> None:
        """Nothing to end but the connection."""

    def _fetch(self, wanted: int) -> pl.DataFrame:
        import polars as pl

        self._cursor.execute(f"FETCH FORWARD {wanted} FROM reading".encode())
        rows = self._cursor.fetchall()
        values: list[Any] = list(zip(*rows, strict=True)) if rows else [() for _ in self.columns]
        return pl.DataFrame([column.series(each) for column, each in zip(self.columns, values, strict=True)])
