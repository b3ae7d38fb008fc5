"""The checks that a report's rows must pass before readers see them."""

from __future__ import annotations

from typing import Any

import msgspec

SAMPLE = 5
"""How many offending rows a failed check names."""

CLASH = "the report has rows of this key already"
"""The detail where staged rows are unique among themselves, and not beside the rows that stay in the report."""


class Unique(msgspec.Struct, frozen=True, tag="unique"):
    """No two rows have the same values in these columns (nulls count as equal)."""

    columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"unique({', '.join(self.columns)})"


class NotNull(msgspec.Struct, frozen=True, tag="not_null"):
    """None of these columns has a null."""

    columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"not_null({', '.join(self.columns)})"


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """The report has at least ``min`` and at most ``max`` rows."""

    min: int | None = None
    max: int | None = None

    def __str__(self) -> str:
        bounds = [f"{name}={value}" for name, value in (("min", self.min), ("max", self.max)) if value is not None]
        return f"rows({', '.join(bounds)})"


class Between(msgspec.Struct, frozen=True, tag="between"):
    """Every value of the column that is not null lies in ``[min, max]``; a bound of None is open."""

    column: str
    min: int | float | str | None = None
    """A number, or an ISO date or time as text."""
    max: int | float | str | None = None

    def __str__(self) -> str:
        return f"between({self.column}, {self.min}, {self.max})"


class Sql(msgspec.Struct, frozen=True, tag="sql"):
    """The query, over the relation ``staged``, returns no row: each row it returns is an offender."""

    name: str
    query: str

    def __str__(self) -> str:
        return f"sql({self.name})"


Check = Unique | NotNull | Rows | Between | Sql


class CheckFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A check that did not hold, with what to look at."""

    report: str
    check: str
    """The check as it was written: ``unique(origin, day)``."""
    offenders: int | None
    """How many rows (for ``unique``: groups) offend; None where that has no meaning."""
    sample: tuple[dict[str, Any], ...] = ()
    """Up to ``SAMPLE`` offending rows, values as text."""
    detail: str | None = None

    def __str__(self) -> str:
        parts = [f"report {self.report}: check {self.check} failed"]
        if self.detail:
            parts.append(f": {self.detail}")
        if self.offenders is not None:
            parts.append(f" for {self.offenders} row{'' if self.offenders == 1 else 's'}")
        if self.sample:
            rows = "; ".join(", ".join(f"{k}={v}" for k, v in row.items()) for row in self.sample)
            parts.append(f", for example: {rows}")
        return "".join(parts)


def unique(*columns: str) -> Unique:
    """No two rows have the same values in these columns."""
    return Unique(columns)


def not_null(*columns: str) -> NotNull:
    """None of these columns has a null."""
    return NotNull(columns)


def rows(*, min: int | None = None, max: int | None = None) -> Rows:
    """The report has a number of rows in ``[min, max]``."""
    return Rows(min, max)


def between(column: str, min: int | float | str | None = None, max: int | float | str | None = None) -> Between:
    """Every value of the column that is not null lies in ``[min, max]``."""
    return Between(column, min, max)


def sql(name: str, query: str) -> Sql:
    """The query, over the relation ``staged``, returns no row."""
    return Sql(name, query)
