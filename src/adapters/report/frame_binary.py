"""Frames in COPY's binary format, by pgpq, where it is installed (the extra ``fast``).

Binary COPY takes a number for another of the same width without a word. So the types are those of the table, as its
catalogue has them, and each column is cast to exactly what the type's receiver reads, strictly; dates and times are
handed over as the whole numbers that the server keeps. What is not in the list goes by CSV, which is right for every
type.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from ...domain.report import Column

if TYPE_CHECKING:
    import pyarrow

_DAYS = 10_957
"""From 1970-01-01, where polars counts from, to 2000-01-01, where PostgreSQL does."""
_MICROSECONDS = _DAYS * 86_400 * 1_000_000
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_DIGITS = 38
"""The most digits of a decimal in polars."""

Cast = Callable[[pl.Series], pl.Series]


def _whole(dtype: pl.DataType) -> Cast:
    return lambda values: values.cast(dtype, strict=True)


def _date(values: pl.Series) -> pl.Series:
    return (values.cast(pl.Date, strict=True).to_physical() - _DAYS).cast(pl.Int32)


def _time(values: pl.Series) -> pl.Series:
    return values.cast(pl.Time, strict=True).to_physical() // 1000


def _moment(values: pl.Series) -> pl.Series:
    return values.dt.cast_time_unit("us").to_physical() - _MICROSECONDS


_CASTS: dict[str, Cast] = {
    "smallint": _whole(pl.Int16()),
    "integer": _whole(pl.Int32()),
    "bigint": _whole(pl.Int64()),
    "real": _whole(pl.Float32()),
    "double precision": _whole(pl.Float64()),
    "boolean": _whole(pl.Boolean()),
    "text": _whole(pl.String()),
    "bytea": _whole(pl.Binary()),
    "date": _date,
    "time without time zone": _time,
    "timestamp without time zone": _moment,
    "timestamp with time zone": _moment,
}
_FROM = {
    "smallint": (pl.Int8, pl.Int16, pl.UInt8),
    "integer": (pl.Int32, pl.UInt16),
    "bigint": (pl.Int64, pl.UInt32),
    "real": (pl.Float32,),
    "double precision": (pl.Float64,),
    "boolean": (pl.Boolean,),
    "text": (pl.String, pl.Categorical, pl.Enum),
    "bytea": (pl.Binary,),
    "date": (pl.Date,),
    "time without time zone": (pl.Time,),
    "timestamp without time zone": (pl.Datetime,),
    "timestamp with time zone": (pl.Datetime,),
}
"""What a column of the type is filled from: nothing else, whatever a cast would make of it."""


class BinaryEncoder:
    """Encodes frames of one schema. The header comes first, the trailer last."""

    def __init__(self, casts: list[Cast], schema: pyarrow.Schema) -> None:
        import pgpq

        self._casts = casts
        self._encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)

    def header(self) -> bytes:
        """What a COPY begins with."""
        return bytes(self._encoder.write_header())

    def rows(self, frame: pl.DataFrame) -> bytes:
        """The rows, in order."""
        return b"".join(bytes(self._encoder.write_batch(batch)) for batch in _arrow(self._casts, frame).to_batches())

    def trailer(self) -> bytes:
        """What a COPY ends with."""
        return bytes(self._encoder.finish())


def binary_encoder(schema: pl.Schema, columns: tuple[Column, ...]) -> BinaryEncoder | None:
    """For frames of this schema and a table of these columns; None where there is none, and CSV has to serve."""
    if not installed() or len(schema) != len(columns):
        return None
    casts = [_cast(dtype, column.type) for dtype, column in zip(schema.values(), columns, strict=True)]
    known = [cast for cast in casts if cast is not None]
    if len(known) < len(casts):
        return None
    return BinaryEncoder(known, _arrow(known, schema.to_frame()).schema)


@functools.cache
def installed() -> bool:
    """Whether the extra ``fast`` is there."""
    from importlib.util import find_spec

    return find_spec("pgpq") is not None and find_spec("pyarrow") is not None


def _cast(dtype: pl.DataType, kind: str) -> Cast | None:
    decimal = _NUMERIC.fullmatch(kind)
    if decimal is not None:
        precision, scale = int(decimal[1]), int(decimal[2])
        exact = isinstance(dtype, pl.Decimal) and (dtype.precision, dtype.scale) == (precision, scale)
        whole = isinstance(dtype, pl.UInt64) and scale == 0
        return _whole(pl.Decimal(precision, scale)) if precision <= _DIGITS and (exact or whole) else None
    return _CASTS[kind] if isinstance(dtype, _FROM.get(kind, ())) else None


def _arrow(casts: list[Cast], frame: pl.DataFrame) -> Any:
    # by position and not by name: polars takes a column called ^a$ for a pattern
    converted = [
        cast(values.alias("")).alias(str(place))
        for place, (cast, values) in enumerate(zip(casts, frame.iter_columns(), strict=True))
    ]
    return pl.DataFrame(converted).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
