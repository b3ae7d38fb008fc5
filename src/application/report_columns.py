"""What a frame's columns become in a report, and what cannot become one.

The rules are the same whatever holds the report, so they are kept once, here. Polars is known as a type only.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..domain.errors import ReportMismatch, UnsupportedType
from ..domain.report import Column, ReportSpec

if TYPE_CHECKING:
    import polars

VERSION_COLUMN = "_version"
"""The column that says to which version a row belongs; no report can have one of that name."""

RUN_COLUMN = "_run_id"
"""The column that says which run wrote a row, where rows change in place; no report can have one of that name."""

_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_NAME_BYTES = 63

_TYPES = {
    "Int8": "smallint",
    "Int16": "smallint",
    "Int32": "integer",
    "Int64": "bigint",
    "Int128": "numeric(39,0)",
    "UInt8": "smallint",
    "UInt16": "integer",
    "UInt32": "bigint",
    "UInt64": "numeric(20,0)",
    "Float32": "real",
    "Float64": "double precision",
    "Boolean": "boolean",
    "String": "text",
    "Categorical": "text",
    "Enum": "text",
    "Date": "date",
    "Time": "time without time zone",
    "Duration": "interval",
    "Binary": "bytea",
}
"""Each holds every value of the type on its left; as PostgreSQL's ``format_type`` writes them."""

_REMEDIES = {
    "List": "explode it, join it to text with list.join, or publish it as a report of its own",
    "Array": "explode it, split it into columns with arr.to_struct, or publish it as a report of its own",
    "Struct": "unnest it, or encode it as text with struct.json_encode",
    "Object": "make it text or a number before",
    "Null": "cast it to the type that it should have",
}
_OTHER_REMEDY = "cast it to a number, text, date or time type"
_WHOLE_MICROSECONDS = "PostgreSQL keeps microseconds: round it with dt.truncate('1us'), or keep the number as Int64"


_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 as days since 1970: what both PostgreSQL and Python's ``datetime`` hold."""
_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MOST_MILLISECONDS = (2**63 - 1) // 1000


def columns_of(report: str, schema: polars.Schema) -> tuple[Column, ...]:
    """The report's columns for a frame of this schema.

    Raises :class:`UnsupportedType` for a type that no column keeps exactly, :class:`ReportMismatch` for names that
    no column can have, and for no column at all.
    """
    check_names(report, schema)
    return tuple(Column(name, _type_of(report, name, dtype)) for name, dtype in schema.items())


def check_names(report: str, names: Collection[str]) -> None:
    """Raise :class:`ReportMismatch` for names that no column can have, and for no column at all."""
    problems = [problem for name in names for problem in _name_problems(name)]
    if not names:
        problems.append("there are no columns")
    if problems:
        raise ReportMismatch(report, tuple(problems))


def differences(existing: tuple[Column, ...], new: tuple[Column, ...]) -> tuple[str, ...]:
    """How ``new`` differs from ``existing``: one sentence a column; empty when they are the same, in the same order."""
    old_types, new_types = ({c.name: c.type for c in columns} for columns in (existing, new))
    found = [f"column {name} is missing" for name in old_types if name not in new_types]
    found += [f"column {name} is additional" for name in new_types if name not in old_types]
    found += [
        f"column {name} is {new_types[name]} and not {kind}"
        for name, kind in old_types.items()
        if new_types.get(name, kind) != kind
    ]
    if not found and existing != new:
        found.append(f"the columns come as {', '.join(new_types)} and not as {', '.join(old_types)}")
    return tuple(found)


def check_named(spec: ReportSpec, columns: tuple[Column, ...]) -> None:
    """Raise :class:`ReportMismatch` where the key or a partition names a column that the rows do not have."""
    there = {column.name for column in columns}
    named = [("key", name) for name in spec.key] + [("partition", name) for name in spec.partition_by]
    missing = tuple(f"the {what}'s column {name} is missing" for what, name in named if name not in there)
    if missing:
        raise ReportMismatch(spec.name, missing)


def check_values(report: str, frame: polars.DataFrame) -> None:
    """Raise :class:`UnsupportedType` for a value that its column's type could not keep exactly."""
    for name, dtype in frame.schema.items():
        problem = _value_problem(frame.get_column(name).alias(""), dtype)  # or polars takes ^a$ for a pattern
        if problem:
            raise UnsupportedType(f"report {report}", name, f"{dtype} {problem[0]}", problem[1])


def _name_problems(name: str) -> list[str]:
    if name in (VERSION_COLUMN, RUN_COLUMN) or name in _SYSTEM_COLUMNS:
        return [f"a column cannot be called {name}: the name is reserved"]
    if not name or "\0" in name:
        return [f"a column cannot be called {name!r}"]
    if len(name.encode()) > _NAME_BYTES:
        return [f"the name of column {name} is longer than {_NAME_BYTES} bytes"]
    return []


def _type_of(report: str, name: str, dtype: polars.DataType) -> str:
    base = str(dtype.base_type())
    if base == "Decimal":
        return f"numeric({dtype.precision},{dtype.scale})"  # type: ignore[attr-defined]
    if base == "Datetime":
        zone = dtype.time_zone  # type: ignore[attr-defined]
        return f"timestamp {'with' if zone else 'without'} time zone"
    if base not in _TYPES:
        raise UnsupportedType(f"report {report}", name, str(dtype), _REMEDIES.get(base, _OTHER_REMEDY))
    return _TYPES[base]


def _value_problem(values: polars.Series, dtype: polars.DataType) -> tuple[str, str] | None:
    base = str(dtype.base_type())
    if base in ("Categorical", "Enum"):
        values, base = values.unique().cast(str), "String"
    if base == "String" and values.str.contains("\0", literal=True).any():
        return "with a NUL character", "PostgreSQL's text cannot hold one: take it out with str.replace_all('\\0', '')"
    unit = getattr(dtype, "time_unit", "ns" if base == "Time" else None)
    if unit == "ns" and (values.to_physical() % 1000 != 0).any():
        return "with a fraction of a microsecond", _WHOLE_MICROSECONDS
    if base == "Duration" and unit == "ms" and _outside(values, -_MOST_MILLISECONDS, _MOST_MILLISECONDS):
        return "with a value beyond 292,000 years", "keep the number as Int64"
    if base in ("Date", "Datetime"):
        per_day = 86_400 * _PER_SECOND[unit] if unit else 1
        if _outside(values, _FIRST_DAY * per_day, (_LAST_DAY + 1) * per_day - 1):
            return "with a year outside 1 to 9999", "make such values null, or keep them as text"
    return None


def _outside(values: polars.Series, least: int, most: int) -> bool:
    numbers = values.to_physical()
    low, high = numbers.min(), numbers.max()
    return isinstance(low, int) and isinstance(high, int) and (low < least or high > most)
