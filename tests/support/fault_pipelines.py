"""The pipeline of the fault tests: reports in every mode, whose rows say by which run and attempt they were made."""

from __future__ import annotations

import polars as pl

from kubescribe import Context, pipeline

from .family import COLUMNS, Part, rows_of

_TYPES = (pl.Int64, pl.String, pl.Float64, pl.String, pl.String, pl.Int64)


@pipeline(retries=0, run_deadline="5m")
def family(run: Context, plan: tuple[Part, ...]) -> None:
    """Read some rows; publish what the plan says."""
    source = run.read("SELECT n, value FROM source ORDER BY n", name="source")
    values = {row[0]: row[1] for row in source.iter_rows()}
    for part in plan:
        made = rows_of(part, run.run_id, run.attempt_id)
        rows = [(*row[:2], values[row[0]], *row[3:]) for row in made]
        schema = dict(zip(COLUMNS, _TYPES, strict=True))
        schema |= {extra.name: pl.String if extra.text else pl.Int64 for extra in part.extras}
        run.report(
            part.report,
            pl.DataFrame(rows, schema=schema, orient="row"),
            key=part.key,
            mode=part.mode,
            partition_by=part.partition_by,
            schema="recreate" if part.recreate else "extend",
        )
