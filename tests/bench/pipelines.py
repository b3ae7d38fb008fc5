"""A pipeline that does nothing: what a run costs beside its work."""

from __future__ import annotations

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
