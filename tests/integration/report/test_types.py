"""What comes back by SQL is what was in the frame, for every type, value by value."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubescribe.adapters.report import frame_binary
from kubescribe.adapters.report.frame_binary import installed
from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.domain.report import ReportSpec
from tests.support.clusters import Cluster
from tests.support.report_database import ReportServer

pytestmark = pytest.mark.integration

AWKWARD = [
    "",
    "NULL",
    "\\N",
    "\\.",
    '"',
    '""',
    "'",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\t",
    "é😀",
    "null",
    " ",
    "a,b",
    "\\.\n",
    "\ufeff",
]
TEXT = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
MOMENT = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
MICROSECONDS = st.integers(-(2**63), 2**63 - 1)
EPOCH = datetime(1970, 1, 1)
CONTEXT = Context(prec=60)


def whole(bits: int, signed: bool = True) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda number: Decimal(number).scaleb(-scale, CONTEXT))


TYPES: list[tuple[pl.DataType, st.SearchStrategy[Any]]] = [
    (pl.Int8(), whole(8)),
    (pl.Int16(), whole(16)),
    (pl.Int32(), whole(32)),
    (pl.Int64(), whole(64)),
    (pl.Int128(), whole(128)),
    (pl.UInt8(), whole(8, False)),
    (pl.UInt16(), whole(16, False)),
    (pl.UInt32(), whole(32, False)),
    (pl.UInt64(), whole(64, False)),
    (pl.Float32(), st.floats(width=32)),
    (pl.Float64(), st.floats()),
    (pl.Boolean(), st.booleans()),
    (pl.String(), TEXT),
    (pl.Categorical(), TEXT),
    (pl.Enum(AWKWARD), st.sampled_from(AWKWARD)),
    (pl.Binary(), st.binary()),
    (pl.Date(), st.dates(date(1, 1, 1), date(9999, 12, 31))),
    (pl.Time(), st.times()),
    (pl.Datetime("us"), MOMENT),
    (pl.Datetime("ms"), MOMENT.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))),
    (pl.Datetime("ns"), st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))),
    (pl.Datetime("us", "Europe/Berlin"), MOMENT),
    (pl.Datetime("us", "UTC"), MOMENT),
    (pl.Duration("us"), MICROSECONDS),
    (pl.Duration("ms"), st.integers(-(2**63) // 1000 + 1, (2**63 - 1) // 1000)),
    (pl.Decimal(10, 2), decimals(10, 2)),
    (pl.Decimal(38, 38), decimals(38, 38)),
    (pl.Decimal(38, 0), decimals(38, 0)),
]


def series(name: str, dtype: pl.DataType, values: list[Any]) -> pl.Series:
    if isinstance(dtype, pl.Duration):
        return pl.Series(name, values, dtype=pl.Int64).cast(dtype)
    if isinstance(dtype, pl.Datetime):
        per = {"ms": 1000, "us": 1, "ns": 1}[dtype.time_unit]
        numbers = [None if at is None else (at - EPOCH) // timedelta(microseconds=1) // per for at in values]
        if dtype.time_unit == "ns":
            numbers = [None if number is None else number * 1000 for number in numbers]
        return pl.Series(name, numbers, dtype=pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype=dtype)


def checksum(connection: psycopg.Connection, table: str, columns: list[str]) -> tuple[str, int]:
    """Of what the server holds, as anybody can compute it."""
    connection.execute("SET synchronize_seqscans = off")
    statement = f"COPY {table} ({', '.join(columns)}) TO STDOUT (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        content = b"".join(bytes(block) for block in copy)
    return "sha256:" + hashlib.sha256(content).hexdigest(), len(content)


@st.composite
def frames(draw: st.DrawFn) -> tuple[pl.DataFrame, list[list[Any]]]:
    chosen = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=6))
    height = draw(st.integers(0, 6))
    columns = [draw(st.lists(st.none() | values, min_size=height, max_size=height)) for _, values in chosen]
    frame = pl.DataFrame(
        [series(f"c{n}", dtype, values) for n, ((dtype, _), values) in enumerate(zip(chosen, columns, strict=True))]
    )
    return frame, columns


def exact(dtype: pl.DataType, value: Any) -> Any:
    """A value that is equal only to itself: NaN to NaN, 0.0 not to -0.0, Decimals with their digits."""
    if value is None:
        return None
    if isinstance(dtype, pl.Float32 | pl.Float64):
        kind = "f" if isinstance(dtype, pl.Float32) else "d"
        return "nan" if math.isnan(value) else struct.pack(kind, value)
    if isinstance(dtype, pl.Decimal):
        return str(CONTEXT.create_decimal(value).quantize(Decimal(1).scaleb(-dtype.scale), context=CONTEXT))
    if isinstance(dtype, pl.Datetime):
        return (value.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)
    return int(value) if isinstance(dtype, pl.UInt64 | pl.Int128) else value


def read_as(dtype: pl.DataType, name: str) -> str:
    if isinstance(dtype, pl.Duration):  # beyond Python's timedelta
        per = 1000 if dtype.time_unit == "ms" else 1
        return f"(extract(epoch FROM {name}) * 1000000 / {per})::numeric(25, 0)::bigint"
    return name


@pytest.fixture(scope="module", params=["bundled", "system"])
def any_cluster(request: pytest.FixtureRequest, report_cluster: Cluster) -> Iterator[Cluster]:
    """Two releases of PostgreSQL: what ends a COPY in CSV is not the same for both."""
    if request.param == "bundled":
        yield report_cluster
        return
    if not Cluster.ssl_available():
        pytest.skip("no PostgreSQL of the system's")
    with Cluster(ssl=True) as cluster:
        ReportServer.prepare(cluster)
        yield cluster


@pytest.fixture(scope="module", params=["csv", "binary"])
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """The two ways into a table; the second needs the extra ``fast``."""
    if request.param == "binary" and not installed():
        pytest.skip("pgpq is not installed")
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "csv":
            patched.setattr(frame_binary, "installed", lambda: False)
        yield request.param


@pytest.fixture(scope="module")
def connected(any_cluster: Cluster, path: str) -> Iterator[tuple[PostgresStaging, psycopg.Connection]]:
    server = ReportServer(any_cluster)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield PostgresStaging(server.conninfo()), connection
    server.drop()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(frames())
def test_every_value_of_every_type_comes_back(
    connected: tuple[PostgresStaging, psycopg.Connection], given_frame: tuple[pl.DataFrame, list[list[Any]]]
) -> None:
    staging, connection = connected
    frame, columns = given_frame
    staged = staging.stage(ReportSpec(name="types"), [frame], run_id=uuid4(), attempt_id=uuid4())
    table = f"reports.types__v{staged.version}"
    try:
        kinds = connection.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND attname <> '_version' ORDER BY attnum",
            (table,),
        ).fetchall()
        assert [kind for (kind,) in kinds] == [column.type for column in staged.columns]
        wanted = ", ".join(read_as(dtype, name) for name, dtype in frame.schema.items())
        rows = connection.execute(f"SELECT {wanted} FROM {table} ORDER BY ctid".encode()).fetchall()
        assert len(rows) == frame.height == staged.rows
        for place, dtype in enumerate(frame.dtypes):
            came_back = [exact(dtype, row[place]) for row in rows]
            assert came_back == [exact(dtype, value) for value in columns[place]], dtype
        assert (staged.checksum, staged.bytes) == checksum(connection, table, frame.columns)
    finally:
        connection.execute(f"DROP TABLE {table}".encode())


@pytest.mark.parametrize("text", [None, *AWKWARD], ids=repr)
@pytest.mark.parametrize("alone", [True, False])
def test_awkward_text_comes_back(
    connected: tuple[PostgresStaging, psycopg.Connection], text: str | None, alone: bool
) -> None:
    staging, connection = connected
    values = [text] if alone else [text, "between", text, None, text]
    frame = pl.DataFrame({"t": pl.Series(values, dtype=pl.String)})
    staged = staging.stage(ReportSpec(name="text"), [frame], run_id=uuid4(), attempt_id=uuid4())
    rows = connection.execute(f"SELECT t FROM reports.text__v{staged.version} ORDER BY ctid".encode()).fetchall()
    assert [row[0] for row in rows] == values


def test_many_rows_in_several_chunks(connected: tuple[PostgresStaging, psycopg.Connection]) -> None:
    staging, connection = connected
    frame = pl.DataFrame({"k": range(123_457)}).with_columns(t=pl.col("k").cast(pl.String))
    staged = staging.stage(ReportSpec(name="many", key=("k",)), [frame, frame], run_id=uuid4(), attempt_id=uuid4())
    query = f"SELECT count(*), count(DISTINCT k), sum(k), bool_and(t = k::text) FROM reports.many__v{staged.version}"
    row = connection.execute(query.encode()).fetchone()
    assert row == (2 * 123_457, 123_457, 2 * sum(range(123_457)), True)


def test_the_checksum_is_that_of_the_binary_copy(connected: tuple[PostgresStaging, psycopg.Connection]) -> None:
    staging, connection = connected
    frame = pl.DataFrame({"k": range(50_000)}).with_columns(t=pl.lit("é"), d=pl.lit(date(2013, 1, 1)))
    staged = staging.stage(ReportSpec(name="summed"), [frame], run_id=uuid4(), attempt_id=uuid4())
    table = f"reports.summed__v{staged.version}"
    assert (staged.checksum, staged.bytes) == checksum(connection, table, ["k", "t", "d"])


def test_a_version_is_indexed_analysed_and_checked(connected: tuple[PostgresStaging, psycopg.Connection]) -> None:
    staging, connection = connected
    frame = pl.DataFrame({"k": range(1000)})
    staged = staging.stage(ReportSpec(name="made", key=("k",)), [frame], run_id=uuid4(), attempt_id=uuid4())
    table = f"reports.made__v{staged.version}"
    for query, expected in (
        ("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass", 1),
        ("SELECT reltuples::int FROM pg_class WHERE oid = %s::regclass", 1000),
        ("SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c' AND convalidated", 1),
    ):
        assert connection.execute(query.encode(), (table,)).fetchone() == (expected,), query
