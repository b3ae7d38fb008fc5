"""COPY with literals and a cursor with binds: whatever the type and the value, the same frame or the same sentence."""

from __future__ import annotations

import datetime as dt
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
from tests.support.clusters import PASSWORD, Cluster
from tests.support.server_types import AWKWARD, LONG, MOMENTS, NUMBERS, TEXT, TYPES, tables

from kubescribe.adapters.source import copying
from kubescribe.adapters.source.copy_out import CopyOut
from kubescribe.adapters.source.copy_rows import CopyRows
from kubescribe.adapters.source.copy_stream import CopyStream
from kubescribe.adapters.source.cursor_rows import CursorRows
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.adapters.source.reading import PostgresReading
from kubescribe.adapters.source.rendering import Asked
from kubescribe.domain.errors import KubescribeError, UnsupportedType

from .conftest import Open

pytestmark = pytest.mark.integration


@pytest.fixture
def typed(admin: psycopg.Connection[Any]) -> None:
    admin.execute(TYPES)


@pytest.fixture
def by_cursor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Do something as if no query could be read by COPY."""

    def do(work: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(Asked, "with_literals", lambda self, connection: None)
            return work()

    return do


@pytest.fixture
def by_psycopg(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Do something as if asyncpg could not be told where the server is."""

    def do(work: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(copying, "_address", lambda session: None)
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


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(query=tables(), batch=st.sampled_from([None, 1, 3, 100]))
def test_both_paths_give_one_frame(
    open_source: Open,
    typed: None,
    by_cursor: Callable[..., Any],
    by_psycopg: Callable[..., Any],
    query: str,
    batch: int | None,
) -> None:
    source = open_source(snapshot="read")
    fast = read(source, query, {}, batch)
    assert_same(fast, by_cursor(lambda: read(source, query, {}, batch)))
    assert_same(fast, by_psycopg(lambda: read(source, query, {}, batch)))
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
    query = f"SELECT {day} AS d, repeat('x', 200) AS t FROM generate_series(1, 60000) g"
    seen = 0
    with pytest.raises(UnsupportedType, match="infinity"):
        for frame in open_source().read(query, {}, name="q", batch=10_000):
            seen += frame.height
    assert 0 < seen < 50_000


@pytest.mark.parametrize("snapshot", ["run", "read"])
def test_what_is_taken_piece_by_piece_comes_by_asyncpg_and_a_whole_by_psycopg(open_source: Open, snapshot: str) -> None:
    source = open_source(snapshot=snapshot)
    query, binds = "SELECT g FROM generate_series(1, :n) g", {"n": 3}
    whole, scan = (source.read(query, binds, name="q", batch=batch) for batch in (None, 2))
    relay = source.relay(query, binds, name="q")
    outs = [reading._rows_by._out for reading in (whole, scan)] + [relay._out]  # type: ignore[attr-defined]
    assert [type(out) for out in outs] == [CopyOut, CopyStream, CopyStream]
    assert [frame.height for frame in scan] == [2, 1]
    assert len(b"".join(relay)) == 19 + 3 * 10 + 2
    assert relay.record().rows == 3


def test_where_asyncpg_cannot_begin_psycopg_reads(
    server: Cluster, admin: psycopg.Connection[Any], open_source: Open
) -> None:
    admin.execute("DROP ROLE IF EXISTS narrow")
    admin.execute(f"CREATE ROLE narrow LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 2")  # the holder's and one more
    source = open_source(server.url("production", user="narrow"))
    relay = source.relay("SELECT g FROM generate_series(1, 3) g", {}, name="q")
    assert isinstance(relay._out, CopyOut)  # type: ignore[attr-defined]
    assert len(b"".join(relay)) == 19 + 3 * 10 + 2
    keywords = open_source(f"host=127.0.0.1 port={server.port} user=narrow password={PASSWORD} dbname=production")
    source.done()
    assert [
        frame.height for frame in keywords.read("SELECT g FROM generate_series(1, 3) g", {}, name="q", batch=2)
    ] == [
        2,
        1,
    ]
