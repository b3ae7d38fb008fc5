"""The pipelines of the benchmarks: of nothing, of rows, and of a record as most runs leave it."""

from __future__ import annotations

from pathlib import Path

from kubescribe import Context, pipeline


@pipeline(reports=())
def nothing(run: Context) -> None:
    """Do nothing."""


@pipeline(reports=("lineitem_relayed",))
def relay_lineitem(run: Context) -> None:
    """Six million rows as they are, undecoded."""
    run.copy("SELECT * FROM lineitem", "lineitem_relayed")


@pipeline(reports=("lineitem_frames",))
def frame_lineitem(run: Context) -> None:
    """The same through frames."""
    run.report("lineitem_frames", run.scan("SELECT * FROM lineitem"))


@pipeline(reports=("order_totals",))
def order_totals(run: Context) -> None:
    """Totals by order: what SQL does with a GROUP BY."""
    import polars as pl

    query = "SELECT l_orderkey, l_quantity, l_extendedprice FROM lineitem"
    sums = (pl.col("l_quantity").sum(), pl.col("l_extendedprice").sum())
    parts = [frame.group_by("l_orderkey").agg(pl.len().alias("lines"), *sums) for frame in run.scan(query)]
    run.source_done()
    totals = pl.concat(parts).lazy().group_by("l_orderkey").agg(pl.col("lines").sum(), *sums)
    run.report("order_totals", totals)


@pipeline(reports=("orders_of_a_day",), run_deadline="30m")
def orders_of_a_day(run: Context, region: str = "eu", day: str = "2026-11-01", broken: bool = False) -> None:
    """What most runs look like in a record: some parameters, twenty lines, an input, an output, two metrics."""
    for step in range(1, 20):
        print(f"2026-11-01T04:15:{step:02} INFO orders.{region}: chunk {step} of 19, {step * 7919} rows, checked")
    run.copy("SELECT n AS id, n * 2 AS amount FROM generate_series(1, 1000) AS n", "orders_of_a_day")
    run.metric("orders", 1000)
    run.metric("refunds", 12)
    if broken:
        raise ValueError(f"orders of {day} in {region}: the sum of the lines is not the sum of the bill")
    print(f"2026-11-01T04:15:20 INFO orders.{region}: done")


@pipeline(reports=(), run_deadline="30m")
def hold(run: Context, file: str) -> None:
    """Be at work until a file is there."""
    import time

    while not Path(file).exists():
        time.sleep(0.5)
