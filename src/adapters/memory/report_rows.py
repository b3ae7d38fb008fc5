"""Rows of reports as polars frames: checksums, and changes in place."""

from __future__ import annotations

import hashlib
import io
from itertools import count, islice
from uuid import UUID

import polars as pl
from polars.selectors import by_name  # pl.col would take a column called ^a$ for a pattern

from ...application.report_account import Gone
from ...application.report_columns import RUN_COLUMN
from ...domain.checksum import Checksum
from ...domain.mode import Mode
from ...domain.report import ReportSpec
from ...domain.row_sum import RowSum


def digest(frame: pl.DataFrame) -> tuple[str, int]:
    """The checksum over Arrow's IPC format, and its size."""
    content = io.BytesIO()
    frame.write_ipc(content)
    checksum = Checksum()
    checksum.update(content.getbuffer())
    return str(checksum), checksum.size


def row_sum(frame: pl.DataFrame) -> RowSum:
    """The rows' sum in any order; a null at a row's end counts for nothing, so that a new column changes nothing."""
    total = RowSum()
    for row in own(frame).rows():
        values = list(row)
        while values and values[-1] is None:
            values.pop()
        hashed = hashlib.blake2b(repr(values).encode(), digest_size=16).digest()
        total += RowSum.of(int.from_bytes(hashed[:8]), int.from_bytes(hashed[8:]))
    return total


PLACE_COLUMN = "ctid"
"""Where rows change in place: a number that a row keeps for as long as it is there."""

_OURS = (RUN_COLUMN, PLACE_COLUMN)
_places = count()


def own(frame: pl.DataFrame) -> pl.DataFrame:
    """Without our columns."""
    return frame.drop(by_name(*_OURS, require_all=False))


def signed(frame: pl.DataFrame, run_id: UUID) -> pl.DataFrame:
    """With the run's id on each row, and a place of its own."""
    places = pl.Series(PLACE_COLUMN, list(islice(_places, frame.height)), pl.Int64)
    return frame.with_columns(pl.lit(str(run_id)).alias(RUN_COLUMN), places)


def kept_beside(report: pl.DataFrame, spec: ReportSpec, staged: pl.DataFrame) -> tuple[pl.DataFrame, Gone]:
    """The rows that stay when the staged ones come in as the mode says, and what goes."""
    named = {Mode.MERGE: spec.key, Mode.REPLACE_PARTITION: spec.partition_by}.get(spec.mode, ())
    if not named:
        return report, Gone()
    matched = staged.select(by_name(*named)).unique()
    leaving = report.join(matched, on=by_name(*named), how="semi", nulls_equal=True)
    kept = report.join(matched, on=by_name(*named), how="anti", nulls_equal=True, maintain_order="left")
    return kept, Gone(leaving.height, row_sum(leaving))


def without(report: pl.DataFrame, runs: tuple[UUID, ...]) -> tuple[pl.DataFrame, Gone]:
    """The report without what these runs wrote."""
    theirs = pl.col(RUN_COLUMN).is_in([str(run_id) for run_id in runs])
    leaving = report.filter(theirs)
    return report.filter(~theirs), Gone(leaving.height, row_sum(leaving))


def clashing(report: pl.DataFrame, key: tuple[str, ...], staged: pl.DataFrame) -> pl.DataFrame:
    """The keys of staged rows that are in the report already, in order."""
    keys = staged.select(by_name(*key))
    return keys.join(report.select(by_name(*key)), on=by_name(*key), how="semi").sort(by_name(*key))


def widened(frame: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """With the further columns of ``like``, null in every row."""
    further = {name: dtype for name, dtype in like.schema.items() if name not in frame.columns}
    if not further:
        return frame
    nulls = [pl.lit(None, dtype).alias(name) for name, dtype in further.items()]
    return frame.with_columns(nulls).select(by_name(*like.columns), by_name(*_OURS, require_all=False))
