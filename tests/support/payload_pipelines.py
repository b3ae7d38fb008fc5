"""Pipelines that need no database."""

from __future__ import annotations

import os

from kubescribe import Context, GiveUp, pipeline


@pipeline(reports=())
def quick(run: Context, count: int, name: str = "nobody") -> None:
    """Tell and print a little."""
    run.metric("count", count)
    print(f"hello {name}")


@pipeline(reports=())
def broken(run: Context) -> None:
    """Raise."""
    raise ValueError("it broke")


@pipeline(reports=())
def gives_up(run: Context) -> None:
    """Say that another attempt is useless."""
    raise GiveUp("no such day")


@pipeline(reports=())
def leaves(run: Context) -> None:
    """Leave without a word."""
    os._exit(0)


@pipeline(reports=("numbers",))
def publishes(run: Context) -> None:
    """Publish a report of one row."""
    import polars

    run.report("numbers", polars.DataFrame({"n": [1]}))
