"""Every type comes exactly as it is in the database, or is refused with a sentence."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest

from kubescribe.domain.errors import QueryFailed, UnsupportedType

from .conftest import Open

pytestmark = pytest.mark.integration

UTC = "UTC"


def whole(source: Any, query: str, **binds: Any) -> pl.DataFrame:
    (frame,) = source.read(query, binds, name="q", batch=None)
    return frame  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("expression", "dtype", "value"),
    [
        ("true", pl.Boolean(), True),
        ("(-32768)::int2", pl.Int16(), -32768),
        ("2147483647::int4", pl.Int32(), 2147483647),
        ("(-9223372036854775808)::int8", pl.Int64(), -9223372036854775808),
        ("1.1::float4", pl.Float32(), pytest.approx(1.1, abs=1e-7)),
        ("5e-324::float8", pl.Float64(), 5e-324),
        ("0.1::float8 + 0.2::float8", pl.Float64(), 0.1 + 0.2),
        ("'-Infinity'::float8", pl.Float64(), float("-inf")),
        ("'x'::text", pl.String(), "x"),
        ("'ü€𝄞'::varchar(9)", pl.String(), "ü€𝄞"),
        ("'x'::char(3)", pl.String(), "x  "),
        ("'pg_class'::name", pl.String(), "pg_class"),
        ("'c'::\"char\"", pl.String(), "c"),
        ("'\\x00ff'::bytea", pl.Binary(), b"\x00\xff"),
        ("date '2013-02-28'", pl.Date(), dt.date(2013, 2, 28)),
        ("date '0001-01-01'", pl.Date(), dt.date(1, 1, 1)),
        ("time '23:59:59.999999'", pl.Time(), dt.time(23, 59, 59, 999999)),
        ("timestamp '9999-12-31 23:59:59.999999'", pl.Datetime("us"), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ("timestamp '2013-01-01'", pl.Datetime("us"), dt.datetime(2013, 1, 1)),
        (
            "timestamptz '2013-07-01 12:00:00.5+05:30'",
            pl.Datetime("us", UTC),
            dt.datetime(2013, 7, 1, 6, 30, 0, 500000, dt.UTC),
        ),
        ("12.50::numeric(10,2)", pl.Decimal(10, 2), Decimal("12.50")),
        ("'-99999999999999999999999999999999999999'::numeric(38,0)", pl.Decimal(38, 0), Decimal("-" + "9" * 38)),
        ("0.00012::numeric(3,5)", pl.Decimal(5, 5), Decimal("0.00012")),
        ("12345::numeric(3,-2)", pl.Decimal(5, 0), Decimal(12300)),
        ("'6f1f3bd0-0000-4000-8000-000000000001'::uuid", pl.String(), "6f1f3bd0-0000-4000-8000-000000000001"),
        ("""'{"b": 1,  "a":null}'::json""", pl.String(), '{"b": 1,  "a":null}'),
        ("""'{"b": 1.10}'::jsonb""", pl.String(), '{"b": 1.10}'),
        ("interval '1 year 2 days 03:04:05.6'", pl.String(), "1 year 2 days 03:04:05.6"),
        ("inet '10.0.0.1/8'", pl.String(), "10.0.0.1/8"),
        ("ARRAY[1,NULL,3]", pl.String(), "{1,NULL,3}"),
        ("ARRAY['a b','c\"d']", pl.String(), '{"a b","c\\"d"}'),
        ("int4range(1,5)", pl.String(), "[1,5)"),
        ("12.34::money", pl.String(), "$12.34"),
        ("timetz '12:00:00+02'", pl.String(), "12:00:00+02"),
        ("'abc'::tsvector", pl.String(), "'abc'"),
        ("point(1,2)", pl.String(), "(1,2)"),
        ("B'101'", pl.String(), "101"),
        ("42::oid", pl.String(), "42"),
        ("ROW(1,'x')", pl.String(), "(1,x)"),
        ("'happy'::mood", pl.String(), "happy"),
        ("7::positive", pl.Int32(), 7),
        ("1.25::price", pl.Decimal(9, 2), Decimal("1.25")),
        ("NULL", pl.String(), None),
    ],
)
@pytest.mark.parametrize("batch", [None, 10])
def test_a_type_is_kept(
    admin: psycopg.Connection[Any],
    open_source: Open,
    expression: str,
    dtype: pl.DataType,
    value: Any,
    batch: int | None,
) -> None:
    admin.execute("CREATE TYPE mood AS ENUM ('happy')")
    admin.execute("CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN price AS numeric(9,2)")
    source = open_source()
    query = f"SELECT x FROM generate_series(1, 2) g LEFT JOIN LATERAL (SELECT {expression} AS x) t ON g = 1 ORDER BY g"
    (frame,) = source.read(query, {}, name="q", batch=batch)
    assert frame.schema == {"x": dtype}
    assert frame["x"].to_list() == [value, None]
    (empty,) = source.read(f"SELECT {expression} AS x WHERE false", {}, name="q", batch=batch)
    assert empty.schema == {"x": dtype}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("date 'infinity'", "column x has type date, with infinity or a year"),
        ("date '0044-03-15 BC'", "column x has type date, with infinity"),
        ("date '12013-01-01'", "column x has type date, with infinity"),
        ("timestamp '-infinity'", "column x has type timestamp, with infinity"),
        ("timestamptz 'infinity'", "column x has type timestamp with time zone, with infinity"),
        ("timestamptz '0044-03-15 00:00:00+00 BC'", "column x has type timestamp with time zone"),
        ("timestamptz '0001-01-01 00:00:00+05'", "column x has type timestamp with time zone"),
        ("time '24:00:00'", "column x has type time, with 24:00:00"),
        ("'NaN'::numeric(10,2)", "column x has type numeric, with NaN or infinity"),
        ("'NaN'::numeric", "column x has type numeric, with NaN or infinity"),
        ("'Infinity'::numeric", "column x has type numeric, with NaN or infinity"),
        ("1e37::numeric + 0.001", r".*with 38 digits before the point and 3 after it.*CAST\(x AS numeric\(p,s\)\)"),
        ("repeat('9', 40)::numeric", "column x has type numeric, with 40 digits before the point and 0 after it"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_what_cannot_be_kept_is_refused(
    admin: psycopg.Connection[Any], open_source: Open, expression: str, message: str, zone: str
) -> None:
    admin.execute(f"ALTER DATABASE production SET timezone = '{zone}'".encode())
    with pytest.raises(UnsupportedType, match=f"query q: {message}") as error:
        whole(open_source(), f"SELECT {expression} AS x")
    assert "::text" in str(error.value) or "numeric(p,s)" in str(error.value)


def test_a_numeric_without_precision_takes_the_largest_scale_seen(open_source: Open) -> None:
    frame = whole(
        open_source(),
        "SELECT x, x * 2 AS twice FROM (VALUES (1::numeric), (-0.5), (NULL), (1e20), (12.3400)) t (x)",
    )
    assert frame.schema == {"x": pl.Decimal(38, 4), "twice": pl.Decimal(38, 4)}
    assert frame["x"].to_list() == [Decimal(1), Decimal("-0.5"), None, Decimal(10) ** 20, Decimal("12.34")]
    full = whole(open_source(), f"SELECT {'9' * 28}.{'1' * 10} AS x")
    assert full["x"].to_list() == [Decimal(f"{'9' * 28}.{'1' * 10}")]


def test_a_numeric_without_precision_is_refused_in_a_scan(open_source: Open) -> None:
    with pytest.raises(UnsupportedType, match=r"query q: column total .*say CAST\(total AS numeric\(p,s\)\)"):
        open_source().read("SELECT sum(x) AS total FROM (VALUES (1.5)) t (x)", {}, name="q", batch=10)


def test_historic_offsets_with_seconds_are_exact(admin: psycopg.Connection[Any], open_source: Open) -> None:
    admin.execute("ALTER DATABASE production SET timezone = 'Europe/Amsterdam'")
    query = """SELECT x, extract(epoch FROM x)::float8 AS epoch FROM (VALUES (timestamptz '1930-01-01 00:00:00.25+00'),
        ('2013-01-01'), ('2013-07-01 12:00'), ('1800-01-01'), (NULL)) t (x)"""
    frame = whole(open_source(), query)
    assert (frame["x"].dt.epoch("us") / 1e6).to_list() == frame["epoch"].to_list()


@pytest.mark.parametrize(
    "setting",
    ["datestyle = 'German'", "intervalstyle = 'iso_8601'", "bytea_output = 'escape'", "extra_float_digits = -15"],
)
def test_no_setting_of_the_database_changes_a_value(
    admin: psycopg.Connection[Any], open_source: Open, setting: str
) -> None:
    query = """SELECT date '2013-02-03' AS d, timestamptz '2013-02-03 04:05:06+00' AS ts, interval '1 day 2 hours' AS i,
        '\\x00ff'::bytea AS b, 0.1::float8 + 0.2 AS f"""
    before = whole(open_source(), query)
    admin.execute(f"ALTER DATABASE production SET {setting}".encode())
    assert whole(open_source(), query).equals(before)


def test_backslashes_mean_the_same_whatever_the_database_says(
    admin: psycopg.Connection[Any], open_source: Open
) -> None:
    admin.execute("ALTER DATABASE production SET standard_conforming_strings = off")
    assert whole(open_source(), "SELECT '\\' || :a || '\\' AS x", a="b").item() == "\\b\\"


def test_batches_agree_when_a_column_is_null_for_long(open_source: Open) -> None:
    query = "SELECT CASE WHEN g > 25000 THEN date '2013-01-01' + g END AS d FROM generate_series(1, 26000) g ORDER BY g"
    frames = list(open_source().read(query, {}, name="q", batch=12_000))
    assert [frame.height for frame in frames] == [12_000, 12_000, 2_000]
    assert {frame["d"].dtype for frame in frames} == {pl.Date()}
    assert frames[-1]["d"].null_count() == 1000


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (True, pl.Boolean()),
        (5, pl.Int32()),
        (-(2**31), pl.Int32()),
        (2**31, pl.Int64()),
        (-(2**63), pl.Int64()),
        (2**63, pl.Decimal(38, 0)),
        (1.5, pl.Float64()),
        ("text", pl.String()),
        (dt.date(2013, 1, 1), pl.Date()),
        (dt.datetime(2013, 1, 1, 1, 2, 3, 4), pl.Datetime("us")),
        (dt.datetime(2013, 1, 1, tzinfo=dt.UTC), pl.Datetime("us", UTC)),
        (dt.time(1, 2, 3), pl.Time()),
        (Decimal("1.50"), pl.Decimal(38, 2)),
        (b"\0\xff", pl.Binary()),
        (None, pl.String()),
    ],
)
def test_a_bind_comes_back_as_it_went(open_source: Open, value: Any, dtype: pl.DataType) -> None:
    frame = whole(open_source(), "SELECT :x AS x", x=value)
    assert frame.schema == {"x": dtype}
    assert frame.item() == value


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ([1, None, 2**40], "int8"),
        ([1, 2.5], "float8"),
        ([1, Decimal("2.5")], "numeric"),
        (["a", "b,c\"'"], "text"),
        ([dt.date(2013, 1, 1)], "date"),
        ([b"\0"], "bytea"),
        ([True, False], "bool"),
        ((1, 2), "int4"),
        ([], "text"),
        (pl.Series([1, 2]), "int4"),
    ],
)
def test_a_list_serves_any(open_source: Open, items: Any, kind: str) -> None:
    count = len([item for item in items if item is not None])
    query = f"SELECT count(x) AS n FROM unnest(CAST(:items AS {kind}[])) x WHERE x = ANY(:items)"
    assert whole(open_source(), query, items=items)["n"].to_list() == [count]


def test_a_list_of_several_types_is_refused(open_source: Open) -> None:
    with pytest.raises(QueryFailed, match="the bind :x is a list of int and str; use one type"):
        whole(open_source(), "SELECT 1 AS y WHERE 1 = ANY(:x)", x=[1, "a"])
