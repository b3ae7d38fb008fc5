"""The pipelines of the fault tests: two reports whose rows say which run and attempt made them, and how many."""

from __future__ import annotations

import polars as pl

from kubescribe import Context, pipeline

COLUMNS = ("n", "value", "marker", "attempt", "total")


@pipeline(reports=("r1", "r2"), retries=0, run_deadline="5m")
def twins(run: Context, rows: int = 20) -> None:
    """Read some rows; publish them twice."""
    frame = run.read("SELECT n, value FROM source WHERE n <= :rows ORDER BY n", rows=rows, name="source")
    signed = frame.with_columns(
        marker=pl.lit(str(run.run_id)), attempt=pl.lit(str(run.attempt_id)), total=pl.lit(frame.height)
    )
    run.report("r1", signed, key=["n"])
    run.report("r2", signed.reverse(), key=["n"])


@pipeline(reports=("r1", "r2"), retries=0, run_deadline="5m")
def copies(run: Context, rows: int = 20) -> None:
    """The same rows, handed over as they are."""
    query = (
        "SELECT n, value, CAST(:marker AS text) AS marker, CAST(:attempt AS text) AS attempt, "
        "CAST(:rows AS int) AS total FROM source WHERE n <= :rows ORDER BY n"
    )
    marker, attempt = str(run.run_id), str(run.attempt_id)
    run.copy(query, "r1", key=["n"], name="source", marker=marker, attempt=attempt, rows=rows)
    run.copy(f"{query} DESC", "r2", key=["n"], name="source", marker=marker, attempt=attempt, rows=rows)
