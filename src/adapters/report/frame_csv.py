"""Frames as the CSV that PostgreSQL's COPY reads back exactly.

CSV because it is right for every type: binary COPY silently takes a number for another of the same width. Text is
always quoted and a null never is, so an empty string, a null, and text that looks like either stay apart; floats
are written as the shortest digits that read back as the same bits.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import polars as pl

_ROWS = 20_000
"""Rows turned into text at a time: a bound on memory."""


def csv_chunks(frame: pl.DataFrame) -> Iterator[bytes]:
    """The rows in order, in pieces that end at a row's end."""
    for part in frame.iter_slices(_ROWS):
        written = io.BytesIO()
        # by position and not by name: polars takes a column called ^a$ for a pattern
        converted = [_convert(values).alias(str(place)) for place, values in enumerate(part.iter_columns())]
        pl.DataFrame(converted).write_csv(
            written,
            include_header=False,
            quote_style="non_numeric",
            null_value="",
            line_terminator="\n",
            datetime_format="%Y-%m-%d %H:%M:%S%.6f",
            date_format="%Y-%m-%d",
            time_format="%H:%M:%S%.6f",
        )
        yield written.getvalue()


def _convert(values: pl.Series) -> pl.Series:
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:  # the same moment by the clock of UTC, which is the session's zone
            values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return values.dt.cast_time_unit("us")
    if isinstance(dtype, pl.Duration):
        return values.dt.cast_time_unit("us").to_physical().cast(pl.String) + " microseconds"
    if isinstance(dtype, pl.Binary):
        return "\\x" + values.bin.encode("hex")
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    return values
