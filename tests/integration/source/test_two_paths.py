"""COPY with literals and a cursor with binds: whatever the type and the value, the same frame or the same sentence."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kubescribe.adapters.source.copy_rows import CopyRows
from kubescribe.adapters.source.cursor_rows import CursorRows
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.adapters.source.reading import PostgresReading
from kubescribe.domain.errors import KubescribeError, UnsupportedType

from .conftest import Open

pytestmark = pytest.mark.integration

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
AWKWARD = [
    "",
    "NULL",
    "\\N",
    "\\.",
    '"',
    '""',
    ",",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\t",
    "é😀",
    " ",
    "\ufeff",
    "a\x1fb",
    "'",
]
LONG = "é\n,\"'" * 200_000


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def of(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f"{quoted(str(value))}::{kind}")


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.sampled_from([low, high, 0, -1]) | st.integers(low, high)


MOMENTS = st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**7), max_value=10**7)
KINDS: dict[str, st.SearchStrategy[str]] = {
    "bool": st.sampled_from(["true", "false"]),
    "int2": of("int2", whole(-(2**15), 2**15 - 1)),
    "int4": of("int4", whole(-(2**31), 2**31 - 1)),
    "int8": of("int8", whole(-(2**63), 2**63 - 1)),
    "float4": of("float4", st.floats(width=32) | st.sampled_from([-0.0, 1e-45, math.inf, -math.inf])),
    "float8": of("float8", st.floats() | st.sampled_from([-0.0, 5e-324, math.inf, -math.inf])),
    "numeric(10,2)": of("numeric(10,2)", NUMBERS | st.just(Decimal("NaN"))),
    "numeric(38,38)": of("numeric(38,38)", st.integers(0, 10**38 - 1).map(lambda n: f"0.{n:038d}")),
    "numeric(45,3)": of("numeric(45,3)", NUMBERS),
    "numeric": of("numeric", NUMBERS | st.decimals(allow_nan=True, places=5, min_value=0, max_value=1)),
    "text": of("text", TEXT | st.sampled_from(AWKWARD)),
    "varchar(9)": of("varchar(9)", TEXT),
    "char(3)": of("char(3)", st.sampled_from(["", "a", "a ", "é"])),
    '"char"': of('"char"', st.sampled_from(["a", '"', ","])),
    "bytea": st.binary(max_size=9).map(lambda data: f"'\\x{data.hex()}'::bytea"),
    "date": of("date", st.dates() | st.sampled_from(["infinity", "0044-03-15 BC", "12013-01-01"])),
    "time": of("time", st.times() | st.just("24:00:00")),
    "timetz": of("timetz", st.sampled_from(["12:00+02", "23:59:59.999999-15:59"])),
    "timestamp": of("timestamp", MOMENTS | st.sampled_from(["-infinity", "infinity"])),
    "timestamptz": of("timestamptz", MOMENTS | st.sampled_from(["infinity", "0001-01-01 00:00:00+05"])),
    "interval": of("interval", st.sampled_from(["1 mon -2 days", "-178000000 years", "00:00:00.000001"])),
    "uuid": of("uuid", st.uuids()),
    "json": of("json", st.sampled_from(['{"b": 1,  "a":null}', '"\\u00e9"', "[1.10]"])),
    "jsonb": of("jsonb", st.sampled_from(['{"b": 1.10}', '"é"', "null"])),
    "mood": of("mood", st.sampled_from(["happy", 'so, "so"', ""])),
    "positive": of("positive", whole(1, 9)),
    "pair": st.sampled_from(["ROW(1,'x,\"')::pair", "ROW(NULL,'')::pair"]),
    "int4[]": st.sampled_from(["'{1,NULL,3}'::int4[]", "'{}'::int4[]", "'{{1},{2}}'::int4[]"]),
    "text[]": st.lists(st.sampled_from(AWKWARD)).map(lambda items: f"ARRAY[{','.join(map(quoted, items))}]::text[]"),
    "int4range": of("int4range", st.sampled_from(["[1,5)", "empty", "(,3]"])),
    "inet": of("inet", st.sampled_from(["10.0.0.1/8", "::1"])),
    "macaddr": of("macaddr", st.just("08:00:2b:01:02:03")),
    "money": of("money", NUMBERS),
    "tsvector": of("tsvector", st.just("a fat cat")),
    "point": of("point", st.just("(1,2)")),
    "bit(3)": of("bit(3)", st.just("101")),
    "varbit": of("varbit", st.sampled_from(["", "1"])),
    "xml": of("text", st.just("<a/>")),
    "oid": of("oid", whole(0, 2**32 - 1)),
    "pg_lsn": of("pg_lsn", st.just("16/B374D848")),
    "regclass": of("regclass", st.just("pg_class")),
}


@pytest.fixture
def typed(admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE TYPE mood AS ENUM ('happy', 'so, \"so\"', ''); CREATE TYPE pair AS (a int, b text)")
    admin.execute("CREATE DOMAIN positive AS int CHECK (VALUE > 0)")


@pytest.fixture
def by_cursor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Do something as if no query could be read by COPY."""

    def do(work: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(PostgresReading, "_as_literals", lambda self, text, values: ((), None))
            return work()

    return do


def read(source: PostgresSource, query: str, binds: dict[str, Any], batch: int | None = None) -> Any:
    try:
        reading = source.read(query, binds, name="q", batch=batch)
        frames = list(reading)
    except KubescribeError as error:
        return type(error), str(error)
    return pl.concat(frames), [frame.height for frame in frames], reading.record().fingerprint


def assert_same(one: Any, other: Any) -> None:
    if not isinstance(one[0], pl.DataFrame):
        assert one == other
        return
    assert one[1:] == other[1:]
    assert_frame_equal(one[0], other[0], check_exact=True)


@st.composite
def tables(draw: st.DrawFn) -> str:
    kinds = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=5))
    height = draw(st.integers(0, 5))
    names = draw(st.lists(st.sampled_from(["a", "^b$", 'c"d', "é", "e f", "0", "A"]), unique=True, min_size=5))
    cells = [[draw(st.just(f"NULL::{kind}") | KINDS[kind]) for kind in kinds] for _ in range(max(height, 1))]
    rows = ", ".join(f"({n}, {', '.join(row)})" for n, row in enumerate(cells))
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names[: len(kinds)])
    return f"SELECT {columns} FROM (VALUES {rows}) t (n_, {columns}) WHERE n_ < {height} ORDER BY n_"


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(query=tables(), batch=st.sampled_from([None, 1, 3, 100]))
def test_both_paths_give_one_frame(
    open_source: Open, typed: None, by_cursor: Callable[..., Any], query: str, batch: int | None
) -> None:
    source = open_source(snapshot="read")
    query = query.replace(":", "\\:").replace("\\:\\:", "::")
    fast = read(source, query, {}, batch)
    assert_same(fast, by_cursor(lambda: read(source, query, {}, batch)))
    source.done()


BINDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT | st.sampled_from([*AWKWARD, "') --", "$1", ":x", "E'\\'", "2013-1-1", "now", "{1}", "5"]),
    st.dates(),
    MOMENTS,
    MOMENTS.map(lambda at: at.replace(tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))),
    st.times(),
    st.timedeltas(dt.timedelta(days=-9999), dt.timedelta(days=9999)),
    NUMBERS | st.sampled_from([Decimal("NaN"), Decimal("1E+5"), Decimal("-0.00")]),
    st.uuids(),
    st.binary(max_size=20),
    st.lists(st.none() | st.integers(-5, 5), max_size=3),
    st.lists(st.none() | TEXT, max_size=3),
    st.lists(st.floats(), max_size=3),
    st.lists(st.binary(max_size=3), max_size=2),
    st.lists(st.dates(), max_size=2),
    st.lists(st.uuids(), max_size=2),
)
PLACES = [
    "SELECT :x AS x",
    "SELECT CAST(:x AS text) AS x",
    "SELECT CAST(:x AS int) AS x",
    "SELECT CAST(:x AS date) AS a, :x AS b",
    "SELECT :x AS a, CAST(:x AS text) AS b",
    "SELECT date '2013-01-01' = :x AS x, CAST(:x AS text) AS y",
    "SELECT pg_typeof(:x)::text AS x",
    "SELECT 1 -:x AS x",
    "SELECT coalesce(:x, 'd') AS x",
    "SELECT 'abc' LIKE :x AS x",
    "SELECT g FROM generate_series(1, 3) g WHERE g = ANY(:x)",
    "SELECT g FROM generate_series(1, 3) g ORDER BY g LIMIT:x",
    "SELECT count(*) AS n FROM generate_series(1, 3) GROUP BY :x",
    "SELECT interval '1 day' * :x AS x",
    "SELECT now() AT TIME ZONE :x IS NULL AS x",
    "SELECT (ARRAY[1,2,3])[:x] AS x -- the end",
    "SELECT :x || :x AS x",
    "SELECT CAST(:x AS mood) AS x",
    "SELECT CAST(:x AS bit(3)) AS x, CAST(:x AS char(2)) AS y",
    "SELECT CASE WHEN :x IS NULL THEN 1 ELSE 2 END AS x",
    "VALUES (:x, 1)",
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(query=st.sampled_from(PLACES), value=BINDS)
def test_a_literal_means_what_the_bind_means(
    open_source: Open, typed: None, by_cursor: Callable[..., Any], query: str, value: Any
) -> None:
    source = open_source(snapshot="read")
    fast = read(source, query, {"x": value})
    assert_same(fast, by_cursor(lambda: read(source, query, {"x": value})))
    source.done()


@pytest.mark.parametrize(
    ("query", "binds"),
    [
        ("SELECT 1 AS x", {}),
        ("SELECT :x AS x, CAST(:y AS date) AS y -- end", {"x": "a\\'b", "y": "2013-01-01"}),
        ("SELECT g FROM generate_series(1, :n) g WHERE g = ANY(:some)", {"n": 5, "some": [1, 2]}),
        ("WITH t AS (SELECT :u AS u) TABLE t", {"u": UUID(int=1)}),
    ],
)
def test_what_is_usual_goes_by_copy(open_source: Open, query: str, binds: dict[str, Any]) -> None:
    reading = open_source().read(query, binds, name="q", batch=None)
    assert isinstance(reading, PostgresReading)
    assert isinstance(reading._rows_by, CopyRows)
    list(reading)


def test_what_would_mean_something_else_as_a_literal_goes_by_a_cursor(
    open_source: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubescribe.adapters.source.literals.literal", lambda text, kind: "CAST(1 AS int8)")
    reading = open_source().read("SELECT :x AS x", {"x": 1}, name="q", batch=None)
    assert isinstance(reading, PostgresReading)
    assert isinstance(reading._rows_by, CursorRows)
    (frame,) = reading
    assert frame.schema == {"x": pl.Int32()}


def test_a_long_text_comes_whole(open_source: Open) -> None:
    query = "SELECT :text || g AS t, g FROM generate_series(1, 9) g ORDER BY g"
    (frame,) = open_source().read(query, {"text": LONG}, name="q", batch=None)
    assert frame["t"].to_list() == [f"{LONG}{number}" for number in range(1, 10)]


@pytest.mark.parametrize("rows", [0, 1, 9_999, 10_000, 25_001])
@pytest.mark.parametrize("batch", [1_000, 10_000])
def test_batches_are_cut_alike(open_source: Open, by_cursor: Callable[..., Any], rows: int, batch: int) -> None:
    source = open_source()
    query = "SELECT g, nullif(g % 3, 0) AS n FROM generate_series(1, :n) g ORDER BY g"
    fast = read(source, query, {"n": rows}, batch)
    assert_same(fast, by_cursor(lambda: read(source, query, {"n": rows}, batch)))


def test_a_value_that_cannot_be_kept_is_refused_in_the_middle_of_a_scan(open_source: Open) -> None:
    day = "CASE WHEN g = 50000 THEN date 'infinity' ELSE date '2013-01-01' END"
    query = f"SELECT {day} AS d FROM generate_series(1, 60000) g"
    seen = 0
    with pytest.raises(UnsupportedType, match="infinity"):
        for frame in open_source().read(query, {}, name="q", batch=10_000):
            seen += frame.height
    assert seen in (40_000, 49_999)
