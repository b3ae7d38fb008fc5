"""The declared checks over a polars frame."""

from __future__ import annotations

from typing import Any

import polars as pl
from polars.selectors import by_name  # pl.col would take a column called ^a$ for a pattern

from ...domain.checks import CLASH, SAMPLE, Between, Check, CheckFailure, NotNull, Rows, Sql, Unique
from ...domain.report import Staged


def run_check(staged: Staged, frame: pl.DataFrame, check: Check) -> CheckFailure | None:
    """One check; None where it holds. A check that errors has failed."""

    def failure(offenders: pl.DataFrame | None, detail: str | None = None) -> CheckFailure:
        return CheckFailure(
            report=staged.spec.name,
            check=str(check),
            offenders=None if offenders is None else offenders.height,
            sample=() if offenders is None else _as_text(offenders),
            detail=detail,
        )

    if isinstance(check, Rows):
        few = check.min is not None and frame.height < check.min
        many = check.max is not None and frame.height > check.max
        return failure(None, f"there are {frame.height} rows") if few or many else None
    if not isinstance(check, Sql):
        named = (check.column,) if isinstance(check, Between) else check.columns
        unknown = [name for name in named if name not in frame.columns]
        if unknown or not named:
            return failure(None, f"there is no column {', '.join(unknown)}" if unknown else "it names no column")
    try:
        offenders = _offenders(staged, frame, check)
    except Exception as error:
        return failure(None, str(error).strip().splitlines()[0])
    return failure(offenders) if offenders.height else None


def clash(staged: Staged, keys: pl.DataFrame) -> CheckFailure:
    """What is said of keys that the report has already."""
    return CheckFailure(
        report=staged.spec.name,
        check=str(Unique(staged.spec.key)),
        offenders=keys.height,
        sample=_as_text(keys),
        detail=CLASH,
    )


def _offenders(staged: Staged, frame: pl.DataFrame, check: Unique | NotNull | Between | Sql) -> pl.DataFrame:
    if isinstance(check, Sql):
        return pl.SQLContext(staged=frame, eager=True).execute(check.query.strip().rstrip(";"))
    if isinstance(check, Unique):
        groups = frame.group_by(by_name(*check.columns)).len("_count")
        return groups.filter(pl.col("_count") > 1).drop("_count").sort(by_name(*check.columns), nulls_last=True)
    named = (check.column,) if isinstance(check, Between) else check.columns
    shown = tuple(dict.fromkeys((*staged.spec.key, *named))) if staged.spec.key else tuple(frame.columns)
    if isinstance(check, NotNull):
        return frame.filter(pl.any_horizontal(by_name(*named).is_null())).select(by_name(*shown))
    outside = pl.lit(False)
    for bound, is_outside in ((check.min, pl.Expr.lt), (check.max, pl.Expr.gt)):
        if bound is not None:
            outside = outside | is_outside(by_name(check.column), _bound(bound, frame.schema[check.column]))
    return frame.filter(outside).select(by_name(*shown))


def _bound(bound: float | str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Date | pl.Datetime):
        zone = getattr(dtype, "time_zone", None)
        text = str(bound) if len(str(bound)) > len("2013-01-01") else f"{bound}T00:00:00"
        moment = pl.lit(text).str.to_datetime(time_unit="us")
        return moment if zone is None else moment.dt.replace_time_zone("UTC")
    if isinstance(dtype, pl.Time):
        return pl.lit(str(bound)).str.to_time()
    if isinstance(bound, str) and dtype.is_numeric():
        return pl.lit(float(bound))
    return pl.lit(bound)


def _as_text(offenders: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    rows = offenders.head(SAMPLE).rows(named=True)
    return tuple({name: None if value is None else _text(value) for name, value in row.items()} for row in rows)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
