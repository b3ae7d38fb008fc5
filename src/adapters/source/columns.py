"""The exact mapping of PostgreSQL's result types to polars.

The server describes the result before the first row, so the frame's schema never depends on the rows, but for one
case: numeric without a precision, in a whole read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...domain.errors import QueryFailed, UnsupportedType

if TYPE_CHECKING:
    import polars as pl

DIGITS = 38
"""The most digits of a decimal in polars."""

_TYPES = {16: "Boolean", 17: "Binary", 20: "Int64", 21: "Int16", 23: "Int32", 700: "Float32", 701: "Float64"}
_DATE, _TIME, _TIMESTAMP, _TIMESTAMPTZ, _NUMERIC = 1082, 1083, 1114, 1184, 1700
_BOOL, _BYTEA = 16, 17
_PLAIN_NUMBERS = frozenset({20, 21, 23, 700, 701})
_UNQUOTED = _PLAIN_NUMBERS | {_BOOL, _BYTEA, _DATE, _TIME, _TIMESTAMP, _TIMESTAMPTZ, _NUMERIC}
_NO_CALENDAR = "cast it with ::text, or take such rows out"


class Column:
    """One column of a result: ``oid`` and ``modifier`` as in the server's row description."""

    def __init__(self, name: str, oid: int, modifier: int, *, where: str, whole: bool) -> None:
        import polars as pl

        self.name = name
        self._where = where
        self._convert: Callable[[pl.Series], pl.Series] | None = None
        self.free = False
        """A numeric whose scale only the values tell."""
        self.dtype: pl.DataType = getattr(pl, _TYPES.get(oid, "String"))()
        self._oid = oid
        self.quoted = oid not in _UNQUOTED
        """Whether its text may be anything."""
        if oid == _DATE:
            self.dtype, self._convert = pl.Date(), self._date
        elif oid == _TIME:
            self.dtype, self._convert = pl.Time(), self._time
        elif oid == _TIMESTAMP:
            self.dtype, self._convert = pl.Datetime("us"), self._timestamp
        elif oid == _TIMESTAMPTZ:
            self.dtype, self._convert = pl.Datetime("us", "UTC"), self._timestamptz
        elif oid == _NUMERIC:
            shape = _decimal(modifier)
            if shape is not None:
                self.dtype, self._convert = pl.Decimal(*shape), self._decimal
            elif whole:
                self.free = True
            else:
                raise self._unsupported(
                    "numeric without a precision",
                    f"say CAST({name} AS numeric(p,s)) with p at most {DIGITS}, or read it whole with run.read",
                )

    def read_as(self, *, plainly: bool) -> pl.DataType:
        """The type that polars takes from CSV; the rest is for :meth:`parsed`.

        Dates and decimals it takes too, but says of those that it cannot hold only that there is one. ``plainly``
        leaves them as text, of which ``parsed`` says more.
        """
        import polars as pl

        taken = self._oid in _PLAIN_NUMBERS or (not plainly and not self.free and self._oid in (_DATE, _NUMERIC))
        return self.dtype if taken else pl.String()

    def parsed(self, text: pl.Series) -> pl.Series:
        """What polars took from CSV, in the column's type."""
        import polars as pl

        if text.dtype == self.dtype:
            pass
        elif self._oid == _BOOL:
            text = pl.Series(self.name, text == "t", dtype=pl.Boolean)
        elif self._oid == _BYTEA:
            text = text.str.strip_prefix("\\x").str.decode("hex")
        elif self._convert is not None:
            text = self._convert(text)
        return text.alias(self.name)

    def series(self, values: Sequence[Any]) -> pl.Series:
        """The values, as loaded from the server's text, in the column's type."""
        import polars as pl

        if self._convert is None:
            return pl.Series(self.name, values, dtype=self.dtype)
        text = pl.Series(values, dtype=pl.String)  # without its name: polars takes one called ^a$ for a pattern
        return self._convert(text).alias(self.name)

    def settled(self, text: pl.Series) -> pl.Series:
        """A free numeric's whole column, in the largest scale that it holds."""
        import polars as pl

        text = text.alias("")
        digits = text.str.strip_prefix("-").str.splitn(".", 2)
        whole = digits.struct.field("field_0")
        if not text.is_empty() and not whole.str.contains("^[0-9]*$").all():
            raise self._unsupported("numeric, with NaN or infinity", "cast it with ::float8 or ::text")
        scale = int(digits.struct.field("field_1").str.len_bytes().max() or 0)  # type: ignore[arg-type]
        before = int(whole.str.strip_chars_start("0").str.len_bytes().max() or 0)  # type: ignore[arg-type]
        if scale + before > DIGITS:
            raise self._unsupported(
                f"numeric, with {before} digits before the point and {scale} after it",
                f"a decimal has at most {DIGITS}: say CAST({self.name} AS numeric(p,s)) or {self.name}::text",
            )
        return text.cast(pl.Decimal(DIGITS, scale)).alias(self.name)

    def _decimal(self, text: pl.Series) -> pl.Series:
        kind = "numeric, with NaN or infinity"
        return self._all(text, text.cast(self.dtype, strict=False), kind, "cast it with ::float8 or ::text")

    def _date(self, text: pl.Series) -> pl.Series:
        kind = "date, with infinity or a year that is not 1 to 9999"
        return self._all(text, text.str.to_date("%Y-%m-%d", strict=False), kind, _NO_CALENDAR)

    def _time(self, text: pl.Series) -> pl.Series:
        return self._all(text, text.str.to_time("%H:%M:%S%.f", strict=False), "time, with 24:00:00", _NO_CALENDAR)

    def _timestamp(self, text: pl.Series, kind: str = "timestamp") -> pl.Series:
        kind = f"{kind}, with infinity or a year that is not 1 to 9999"
        found = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        return self._all(text, found, kind, _NO_CALENDAR)

    def _timestamptz(self, text: pl.Series) -> pl.Series:
        import polars as pl

        kind = "timestamp with time zone"
        if text.str.ends_with("+00").all():  # nulls are passed over
            return self._timestamp(text.str.strip_suffix("+00"), kind).dt.replace_time_zone("UTC")
        # Historic zones have seconds: +00:19:32. What does not match (infinity, BC) becomes null on both sides.
        parts = text.str.extract_groups(r"^(.*[0-9])([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$")
        hours, minutes, seconds = (parts.struct.field(f).cast(pl.Int64).fill_null(0) for f in ("3", "4", "5"))
        sign = (parts.struct.field("2") == "-").cast(pl.Int64) * -2 + 1
        offset = ((hours * 3600 + minutes * 60 + seconds) * sign * 1_000_000).cast(pl.Duration("us"))
        local = parts.struct.field("1").fill_null(text)
        found = (self._timestamp(local, kind) - offset).dt.replace_time_zone("UTC")
        years = found.dt.year()
        if ((years < 1) | (years > 9999)).any():
            raise self._unsupported(f"{kind}, with a year that is not 1 to 9999", _NO_CALENDAR)
        return found

    def _all(self, text: pl.Series, found: pl.Series, kind: str, remedy: str) -> pl.Series:
        if found.null_count() != text.null_count():
            raise self._unsupported(kind, remedy)
        return found

    def _unsupported(self, kind: str, remedy: str) -> UnsupportedType:
        return UnsupportedType(self._where, self.name, kind, remedy)


def described(fields: Iterable[tuple[str, int, int]], *, name: str, whole: bool) -> list[Column]:
    """The columns of a result, from ``(name, type's oid, type modifier)``; refuses none, and two of one name."""
    found = list(fields)
    if not found:
        raise QueryFailed(name, "it returns no columns")
    names = [field[0] for field in found]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise QueryFailed(name, f"it returns several columns called {', '.join(twice)}; rename them with AS")
    return [Column(*field, where=f"query {name}", whole=whole) for field in found]


def _decimal(modifier: int) -> tuple[int, int] | None:
    """Precision and scale of polars for a numeric's modifier; None where it has none that fits."""
    if modifier < 4:
        return None
    precision = (modifier - 4) >> 16 & 0xFFFF
    scale = (((modifier - 4) & 0x7FF) ^ 0x400) - 0x400  # eleven bits, signed
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return (precision, scale) if precision <= DIGITS else None
