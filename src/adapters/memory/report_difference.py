"""The difference of two frames of one report, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl
from polars.selectors import by_name

from ...domain.report import Column
from ...domain.version_difference import ColumnDifference, VersionDifference, common_columns, only_in


def difference(
    before: pl.DataFrame,
    after: pl.DataFrame,
    columns_before: tuple[Column, ...],
    columns_after: tuple[Column, ...],
    *,
    key: Sequence[str] = (),
) -> VersionDifference:
    """What differs; ``key`` as for a report in PostgreSQL: unique and never null in both frames."""
    common = common_columns(columns_before, columns_after)
    names = [column.name for column in common]
    gone, new = only_in(columns_before, columns_after), only_in(columns_after, columns_before)
    was, now = before.select(by_name(*names)), after.select(by_name(*names))
    if key and set(key) <= set(names):
        return _by_key(was, now, names, tuple(key), gone, new)
    rows = [Counter(_whole(row) for row in frame.iter_rows()) for frame in (was, now)]
    return VersionDifference(
        rows_before=before.height,
        rows_after=after.height,
        added=(rows[1] - rows[0]).total() if names else after.height,
        removed=(rows[0] - rows[1]).total() if names else before.height,
        columns=tuple(_figures(was.get_column(name), now.get_column(name)) for name in names),
        columns_before=gone,
        columns_after=new,
    )


def _by_key(
    was: pl.DataFrame,
    now: pl.DataFrame,
    names: list[str],
    key: tuple[str, ...],
    gone: tuple[Column, ...],
    new: tuple[Column, ...],
) -> VersionDifference:
    places = [names.index(name) for name in key]
    olds, news = (
        {_whole(row[place] for place in places): _whole(row) for row in one.iter_rows()} for one in (was, now)
    )
    both = olds.keys() & news.keys()
    changes = {name: sum(olds[one][at] != news[one][at] for one in both) for at, name in enumerate(names)}
    return VersionDifference(
        key=key,
        rows_before=was.height,
        rows_after=now.height,
        added=len(news.keys() - both),
        removed=len(olds.keys() - both),
        changed=sum(olds[one] != news[one] for one in both),
        columns=tuple(ColumnDifference(name=name, changed=changes[name]) for name in names),
        columns_before=gone,
        columns_after=new,
    )


def _whole(row: Any) -> tuple[Hashable, ...]:
    return tuple("NaN" if isinstance(value, float) and value != value else value for value in row)


def _figures(was: pl.Series, now: pl.Series) -> ColumnDifference:
    return ColumnDifference(
        name=was.name,
        nulls_before=was.null_count(),
        nulls_after=now.null_count(),
        sum_before=_sum(was),
        sum_after=_sum(now),
    )


def _sum(values: pl.Series) -> str | None:
    present = values.drop_nulls()
    if not values.dtype.is_numeric() or not len(present):
        return None
    if values.dtype.is_float():
        total = float(sum(present))
        return str(int(total)) if total.is_integer() else str(total)
    return str(sum(present, Decimal(0) if values.dtype.is_decimal() else 0))
