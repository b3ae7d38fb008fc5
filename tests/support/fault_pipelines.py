"""The pipelines of the fault tests: reports in every mode, whose rows say by which run and attempt they were made."""

from __future__ import annotations

import json
import time

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


@pipeline(retries=0, run_deadline="5m")
def copies(run: Context, plan: tuple[Part, ...]) -> None:
    """The same rows, handed over from database to database as they are."""
    for part in plan:
        names = (*COLUMNS, *(extra.name for extra in part.extras))
        rows = [dict(zip(names, row, strict=True)) for row in rows_of(part, run.run_id, run.attempt_id)]
        extras = {extra.name: "text" if extra.text else "bigint" for extra in part.extras}
        types = {"n": "bigint", "part": "text", "marker": "text", "attempt": "text", "total": "bigint", **extras}
        run.copy(
            f"SELECT {', '.join('source.value' if name == 'value' else f'made.{name}' for name in names)} "
            f"FROM json_to_recordset(CAST(:rows AS json)) AS made ({', '.join(map(' '.join, types.items()))}) "
            "JOIN source USING (n) ORDER BY n",
            part.report,
            key=part.key,
            mode=part.mode,
            partition_by=part.partition_by,
            schema="recreate" if part.recreate else "extend",
            name="source",
            rows=json.dumps(rows),
        )


@pipeline(reports=(), retries=0, run_deadline="5m")
def brief(run: Context) -> None:
    """Say that it has run."""
    run.note("here")


@pipeline(reports=(), retries=0, run_deadline="5m")
def unhurried(run: Context) -> None:
    """Be at work for longer than an API takes to start."""
    for _ in range(200):
        run.progress(0.5, "working")
        time.sleep(0.02)


@pipeline(reports=(), retries=0, run_deadline="5m")
def steady(run: Context) -> None:
    """Be at work until somebody ends it."""
    for _ in range(3000):
        run.progress(0.5, "waiting")
        time.sleep(0.02)
