"""The pipelines that the scenarios run."""

from __future__ import annotations

import time
from datetime import date

import polars as pl

from kubescribe import Context, GiveUp, pipeline, rows, unique

from .markers import marker_of

FIRST_DAY = date(2026, 3, 1)


@pipeline(reports=("totals",), retry_delay=0)
def daily_totals(
    run: Context,
    day: date = FIRST_DAY,
    factor: int = 1,
    fail: str | None = None,
    fail_first: bool = False,
    give_up: bool = False,
    extra: bool = False,
) -> None:
    """A day's orders by customer."""
    orders = run.read("SELECT customer, amount FROM orders WHERE day = CAST(:day AS date)", name="orders", day=day)
    print(f"adding up {orders.height} orders")
    run.metric("orders", orders.height)
    if give_up:
        raise GiveUp("there will be no rates today")
    if fail is not None:
        raise ValueError(fail)
    if fail_first and _first_time(run):
        raise RuntimeError("the first time always fails")
    totals = orders.group_by("customer").agg(pl.col("amount").sum() * factor).sort("customer")
    if extra:
        totals = totals.select(pl.lit("!").alias("surprise"), pl.all())  # not at the end, where it would be added
    run.report("totals", totals, key=["customer"], checks=[unique("customer"), rows(min=1)])


@pipeline(reports=())
def counting(run: Context) -> None:
    """Counts the orders, and publishes nothing."""
    run.metric("orders", run.read("SELECT customer FROM orders").height)


@pipeline(schedule="0 0 29 2 *", reports=())
def leap_day(run: Context) -> None:
    """Has a schedule whose slots no test meets."""


@pipeline(schedule="30 2 25-31 10 *", timezone="Europe/Berlin", reports=())
def nightly_count(run: Context) -> None:
    """Has a schedule that meets the night in which the clock goes back."""


@pipeline(schedule="30 2 25-31 10 *", timezone="Europe/Berlin", fold="twice", reports=())
def nightly_count_twice(run: Context) -> None:
    """Is to run at both moments of that night."""


@pipeline(reports=())
def patient(run: Context) -> None:
    """Is at work until somebody ends it."""
    for _ in range(3000):
        run.progress(0.5, "waiting")
        time.sleep(0.02)


@pipeline(reports=(), run_deadline="5m")
def talkative(run: Context) -> None:
    """Says something, waits until it may go on, and says more."""
    run.progress(0.5, "talking")
    print("the first line", flush=True)
    marker = marker_of(run.run_id)
    while not marker.exists():
        run.progress(0.5, "waiting")
        time.sleep(0.02)
    marker.unlink()
    for number in range(40):
        print(f"line {number}", flush=True)


def _first_time(run: Context) -> bool:
    marker = marker_of(run.run_id)
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        marker.unlink()
        return False
    return True
