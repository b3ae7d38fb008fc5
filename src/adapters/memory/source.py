"""The production database as polars frames in memory."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ...application.ports.source import ARROW_IPC, InputRecord, Reading, Relay
from ...application.report_columns import columns_of
from ...domain.errors import DatabaseUnavailable, QueryFailed
from ...domain.query import Query
from ...domain.report import Column, schema_fingerprint

if TYPE_CHECKING:
    import polars as pl


class MemorySource:
    """A :class:`~kubescribe.application.ports.source.Source` over named frames, in polars' dialect of SQL.

    ``tables`` may be changed by its owner at any time; reads see it as it was at the first read, or with
    ``snapshot="read"`` as it is. Set ``available`` to False and it is away.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame], *, snapshot: str = "run") -> None:
        self.tables = tables
        self.available = True
        self._shared = snapshot == "run"
        self._seen: dict[str, pl.DataFrame] | None = None
        self._snapshots = 0
        self._done = False

    def read(self, query: str, parameters: Mapping[str, Any], *, name: str, batch: int | None) -> Reading:
        """Run the query at once, and give its rows in batches."""
        if batch is not None and batch < 1:
            raise QueryFailed(name, f"a batch of {batch} rows is none; ask for at least 1")
        return self._run(query, parameters, name, batch)

    def relay(self, query: str, parameters: Mapping[str, Any], *, name: str) -> Relay:
        """Run the query at once, and hand its rows on as Arrow's IPC stream."""
        return _MemoryRelay(self._run(query, parameters, name, None))

    def _run(self, query: str, parameters: Mapping[str, Any], name: str, batch: int | None) -> _MemoryReading:
        import polars as pl

        asked = Query(query, name=name)
        asked.check(parameters)
        self._check(name)
        if self._seen is None or not self._shared:
            self._seen = dict(self.tables)
            self._snapshots += 1
        began = time.monotonic()
        text, _ = asked.render({key: literal(value, f"the bind :{key}", name) for key, value in parameters.items()})
        try:
            frame = pl.SQLContext(self._seen).execute(text, eager=True)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise QueryFailed(name, str(error).splitlines()[0]) from None
        if not frame.columns:
            raise QueryFailed(name, "it returns no columns")
        # polars calls the first of two columns of one name `name:1`.
        twice = [column for column in frame.columns if f"{column}:1" in frame.columns]
        if twice:
            raise QueryFailed(name, f"it returns several columns called {', '.join(twice)}; rename them with AS")
        return _MemoryReading(self, asked, frame, batch, f"memory-{self._snapshots}", time.monotonic() - began)

    def done(self) -> None:
        """Nothing will be read any more."""
        self._done = True

    def _check(self, name: str) -> None:
        if self._done:
            raise QueryFailed(
                name, "the production database was released: run.source_done() was called, or the run is over"
            )
        if not self.available:
            raise DatabaseUnavailable("production", "it is switched off")


class _MemoryReading:
    def __init__(
        self, source: MemorySource, query: Query, frame: pl.DataFrame, batch: int | None, snapshot: str, seconds: float
    ) -> None:
        self._source, self._query, self._frame, self._batch = source, query, frame, batch
        self._snapshot, self._seconds = snapshot, seconds
        self._rows = self._bytes = 0
        self._started = False

    def __iter__(self) -> Iterator[pl.DataFrame]:
        if self._started:
            raise QueryFailed(self._query.name, "it was iterated before; a query under way is read once")
        self._started = True
        return self._frames()

    @property
    def schema(self) -> pl.Schema:
        return self._frame.schema

    def record(self) -> InputRecord:
        columns = tuple(Column(name, str(dtype)) for name, dtype in self._frame.schema.items())
        return InputRecord(
            name=self._query.name,
            query_hash=self._query.hash,
            rows=self._rows,
            bytes=self._bytes,
            seconds=self._seconds,
            fingerprint=schema_fingerprint(columns),
            snapshot=self._snapshot,
        )

    def _frames(self) -> Iterator[pl.DataFrame]:
        step = self._batch or max(1, self._frame.height)
        for start in range(0, max(1, self._frame.height), step):
            self._source._check(self._query.name)
            frame = self._frame.slice(start, step)
            self._rows += frame.height
            self._bytes += int(frame.estimated_size())
            yield frame


class _MemoryRelay:
    format = ARROW_IPC

    def __init__(self, reading: _MemoryReading) -> None:
        self._reading = reading
        self.columns = columns_of(reading.record().name, reading.schema)

    def __iter__(self) -> Iterator[bytes]:
        (frame,) = self._reading
        stream = io.BytesIO()
        frame.write_ipc_stream(stream)
        yield stream.getvalue()

    def record(self) -> InputRecord:
        return self._reading.record()


def literal(value: Any, what: str, name: str) -> str:
    """The value as a literal of polars' SQL, in which a quote is the only character that needs care."""
    if hasattr(value, "to_list"):
        value = value.to_list()
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"ARRAY[{', '.join(literal(item, f'an element of {what}', name) for item in value)}]"
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        # A space, or `a -:x` with -1 would begin a comment.
        return f" {value!r}" if value == value and abs(value) != float("inf") else f"CAST('{value}' AS DOUBLE)"
    if isinstance(value, Decimal) and value.is_finite():
        scale = max(0, -int(value.as_tuple().exponent))
        return f"CAST('{value:f}' AS DECIMAL(38, {scale}))"
    if isinstance(value, datetime) and value.tzinfo is None:
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, clock_time) and value.tzinfo is None:
        return f"CAST('{value.isoformat()}' AS TIME)"
    if isinstance(value, timedelta):
        return f"INTERVAL '{value // timedelta(microseconds=1)} microseconds'"
    if isinstance(value, (str, UUID)):
        text = str(value)
        if "\0" in text:
            raise QueryFailed(name, f"{what} holds a NUL character, which no PostgreSQL text can hold")
        if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
            raise QueryFailed(name, f"{what} holds half a character (a lone surrogate), which no text can hold")
        return "'" + text.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    raise QueryFailed(
        name,
        f"{what} is of type {type(value).__name__}, which cannot be bound; use None, a bool, a number, text, "
        "a date or time, a UUID, bytes, or a list of one of them",
    )
