"""Means and shares that any other program can agree with to the last digit.

A sum of floats depends on the order of its terms, and a mean that lies half-way between two roundings on which side
the last bit fell. So sums are integers (of minutes, of tenths of a degree), the division rounds once, half away
from zero as SQL's ``round(numeric, n)`` does, and the result is the float nearest to that decimal.
"""

from __future__ import annotations

import polars as pl


def ratio(numerator: pl.Expr, denominator: pl.Expr, digits: int) -> pl.Expr:
    """``numerator / denominator`` of two integer columns, to ``digits`` decimals; null where the latter is 0."""
    top, bottom = numerator.cast(pl.Int64), denominator.cast(pl.Int64)
    scale: int = 10**digits
    # |a / b| * 10^n + 1/2, rounded down, in integers: 2 * |a| * 10^n stays far below 2^63 for any sum of minutes.
    rounded = (2 * top.abs() * scale + bottom) // (2 * bottom)
    return pl.when(bottom != 0).then(unscaled(top.sign() * rounded, digits))


def scaled(column: pl.Expr, digits: int) -> pl.Expr:
    """A float column as an integer number of 10^-digits, the nearest."""
    scale: int = 10**digits
    return (column * scale).round(0).cast(pl.Int64)


def unscaled(column: pl.Expr, digits: int) -> pl.Expr:
    """An integer number of 10^-digits as the float nearest to it."""
    scale: int = 10**digits
    # Polars multiplies by 0.01 instead of dividing by 100, which makes 12.200000000000001 of 1220; round() divides.
    return (column.cast(pl.Float64) / scale).round(digits)


def percentile(column: pl.Expr, share: float) -> pl.Expr:
    """SQL's ``percentile_cont``: linear between the two nearest values; nulls are not counted.

    Of whole minutes, with at most two digits in ``share``, it is a decimal of at most two digits: rounding to two
    only takes away the noise of the interpolation.
    """
    return column.quantile(share, interpolation="linear").round(2)
