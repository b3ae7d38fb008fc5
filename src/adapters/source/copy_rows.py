"""Rows by COPY in CSV: less than half of the work that a cursor's rows are, and no Python object for each value.

Text is always quoted and a null never is, so both stay apart, and nothing at a line's edge is taken for a byte order
mark. What polars cannot take from CSV in its own type comes as text, and goes the way that a cursor's text goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...domain.errors import QueryFailed
from .columns import Column
from .copy_out import Block
from .copying import streamed, whole

if TYPE_CHECKING:
    import polars as pl

    from .session import Session

_STREAMED = 4 * 2**20
"""Bytes of a block for somebody who takes his time."""


class CopyRows:
    """The rows of a query, begun by the constructor. ``text`` has literals for binds; owns the session.

    ``batch`` None is for a whole result at once.
    """

    def __init__(
        self,
        session: Session,
        text: str,
        columns: Sequence[Column],
        *,
        name: str,
        batch: int | None,
    ) -> None:
        self._columns, self._name = columns, name
        quoted = [column.name for column in columns if column.quoted]
        self._out = (
            whole(session, text, "csv", quoted)
            if batch is None
            else streamed(session, text, "csv", quoted, size=_STREAMED)
        )

    def pieces(self, batch: int | None) -> Iterator[pl.DataFrame]:
        """The rows in pieces, one of which ends after every ``batch`` rows."""
        rows, missing = 0, batch
        for block in self._out.blocks():
            frame = self._frame(block)
            rows += frame.height
            while missing is not None and frame.height >= missing:
                yield frame.head(missing)
                frame, missing = frame.slice(missing), batch
            if frame.height:
                yield frame
                missing = None if missing is None else missing - frame.height
        if rows != self._out.total:
            raise self._miscounted(self._out.total, rows)

    @property
    def closed(self) -> bool:
        """Whether its session has ended."""
        return self._out.closed

    @property
    def changed(self) -> tuple[str, ...] | None:
        """Tables that no longer hold the rows of the snapshot; None: the session that was given has to be asked."""
        return self._out.changed

    def close(self) -> None:
        """End the session, wherever it is."""
        self._out.close()

    def _frame(self, block: Block) -> pl.DataFrame:
        import polars as pl

        data = bytes(block.data)
        try:
            found = self._parsed(data, plainly=False)
        except pl.exceptions.ComputeError:
            try:
                found = self._parsed(data, plainly=True)
            except pl.exceptions.PolarsError as error:
                raise QueryFailed(self._name, f"its rows cannot be read: {str(error).splitlines()[0]}") from None
        if block.rows is not None and found.height != block.rows:
            raise self._miscounted(block.rows, found.height)
        return pl.DataFrame(
            [column.parsed(series) for column, series in zip(self._columns, found.iter_columns(), strict=True)]
        )

    def _parsed(self, data: bytes, *, plainly: bool) -> pl.DataFrame:
        import polars as pl

        # by position and not by name: a name may be anything
        schema = {str(place): column.read_as(plainly=plainly) for place, column in enumerate(self._columns)}
        return pl.read_csv(data, has_header=False, schema=schema)

    def _miscounted(self, came: int | None, read: int) -> QueryFailed:
        return QueryFailed(self._name, f"{came} rows came, and {read} were read; nothing was kept")
