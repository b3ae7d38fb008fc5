"""Files of rows: whole, exact, and harmless in a spreadsheet."""

from __future__ import annotations

import asyncio
import csv
import io
import math
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest

from kubescribe.adapters.formats.arrow_rows import ArrowRows
from kubescribe.adapters.formats.csv_rows import CsvRows
from kubescribe.adapters.formats.json_rows import JsonRows, Numbers
from kubescribe.adapters.formats.parquet_rows import ParquetRows
from kubescribe.application.ports.report_reader import Row
from kubescribe.application.ports.row_encoder import RowEncoder
from kubescribe.domain.report import Column
from tests.support.payloads import FORMULAS

COLUMNS = tuple(
    Column(*one)
    for one in (
        ("i", "integer"),
        ("n", "bigint"),
        ("d", "numeric(10,2)"),
        ("wide", "numeric(39,0)"),
        ("f", "double precision"),
        ("r", "real"),
        ("yes", "boolean"),
        ("t", "text"),
        ("day", "date"),
        ("at", "time without time zone"),
        ("ts", "timestamp without time zone"),
        ("tz", "timestamp with time zone"),
        ("iv", "interval"),
        ("b", "bytea"),
    )
)
ROWS: tuple[Row, ...] = (
    (
        -(2**31),
        2**63 - 1,
        Decimal("-12345678.90"),
        Decimal(2**126),
        math.nan,
        0.5,
        True,
        'a,"b"\r\n',
        date(1, 1, 1),
        time(23, 59, 59, 999999),
        datetime(9999, 12, 31, 23, 59, 59, 999999),
        datetime(2024, 2, 29, 12, tzinfo=UTC),
        timedelta(days=-3, microseconds=1),
        b"\x00\xff",
    ),
    (0, 2**53 + 1, Decimal("0.10"), Decimal(0), -math.inf, -0.0, False, "", *[None] * 6),
    (None,) * 14,
)
ENCODERS: dict[str, Callable[[], RowEncoder]] = {
    "json": JsonRows,
    "csv": CsvRows,
    "arrow": ArrowRows,
    "parquet": ParquetRows,
}


async def in_batches(*batches: tuple[Row, ...]) -> AsyncIterator[tuple[Row, ...]]:
    for batch in batches:
        yield batch


def written(encoder: RowEncoder, *batches: tuple[Row, ...], columns: tuple[Column, ...] = COLUMNS) -> bytes:
    async def write() -> bytes:
        return b"".join([piece async for piece in encoder.encode(columns, in_batches(*batches))])

    return asyncio.run(write())


# -- JSON ------------------------------------------------------------------------------------------------------------


def test_json_loses_nothing() -> None:
    first, second, third = msgspec.json.decode(written(JsonRows(), ROWS[:2], ROWS[2:]))
    assert first == {
        "i": -(2**31),
        "n": "9223372036854775807",
        "d": "-12345678.90",
        "wide": str(2**126),
        "f": "NaN",
        "r": 0.5,
        "yes": True,
        "t": 'a,"b"\r\n',
        "day": "0001-01-01",
        "at": "23:59:59.999999",
        "ts": "9999-12-31T23:59:59.999999",
        "tz": "2024-02-29T12:00:00Z",
        "iv": "-P2DT86399.999999S",
        "b": "\\x00ff",
    }
    assert (second["n"], second["f"]) == ("9007199254740993", "-Infinity")
    assert math.copysign(1, second["r"]) == -1
    assert set(third.values()) == {None}


def test_json_with_numbers_has_all_their_digits() -> None:
    text = written(JsonRows(Numbers.NUMBER), ROWS).decode()
    assert '"n":9223372036854775807,"d":-12345678.90,' in text
    assert '"n":9007199254740993,"d":0.10,"wide":0,' in text


def test_a_page_has_the_same_words() -> None:
    assert msgspec.json.decode(msgspec.json.encode(JsonRows().as_objects(COLUMNS, ROWS))) == msgspec.json.decode(
        written(JsonRows(), ROWS)
    )


# -- CSV -------------------------------------------------------------------------------------------------------------


def test_csv_comes_back() -> None:
    lines = list(csv.reader(io.StringIO(written(CsvRows(formula_safe=False), ROWS).decode(), newline="")))
    assert lines[0] == [column.name for column in COLUMNS]
    first = dict(zip(lines[0], lines[1], strict=True))
    assert (first["n"], first["d"], first["f"], first["t"]) == (
        "9223372036854775807",
        "-12345678.90",
        "NaN",
        'a,"b"\r\n',
    )
    assert (first["tz"], first["iv"]) == ("2024-02-29T12:00:00Z", "-P2DT86399.999999S")
    assert set(lines[3]) == {""}


def test_csv_tells_a_null_from_an_empty_text() -> None:
    two = (Column("a", "text"), Column("b", "text"))
    assert written(CsvRows(), (("", None), (None, "")), columns=two) == b'a,b\r\n"",\r\n,""\r\n'


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_and_no_name_is_a_formula(text: str) -> None:
    columns = (Column(text, "text"), Column("t", "text"))
    content = written(CsvRows(), ((text, f"x{text}"),), columns=columns).decode()
    names, row = csv.reader(io.StringIO(content, newline=""))
    for cell in (names[0], row[0]):
        assert cell == f"'{text}"
    assert row[1] == f"x{text}"
    _, plain = csv.reader(
        io.StringIO(written(CsvRows(formula_safe=False), ((text, None),), columns=columns).decode(), newline="")
    )
    assert plain[0] == text


def test_numbers_stay_numbers() -> None:
    columns = (
        Column("n", "bigint"),
        Column("d", "numeric(4,1)"),
        Column("f", "double precision"),
        Column("i", "interval"),
    )
    rows: tuple[Row, ...] = ((-1, Decimal("-1.5"), -1e-07, timedelta(days=-1)), (1, None, -math.inf, None))
    assert written(CsvRows(), rows, columns=columns).decode().splitlines()[1:] == [
        "-1,-1.5,-1e-07,'-P1D",
        "1,,'-Infinity,",
    ]


# -- Arrow and Parquet -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoder", "read"), [(ArrowRows, pl.read_ipc_stream), (ParquetRows, pl.read_parquet)])
def test_frames_come_back_with_their_types(
    encoder: Callable[[], RowEncoder], read: Callable[..., pl.DataFrame]
) -> None:
    frame = read(io.BytesIO(written(encoder(), ROWS[:1], ROWS[1:])))
    assert frame.schema == {
        "i": pl.Int32,
        "n": pl.Int64,
        "d": pl.Decimal(10, 2),
        "wide": pl.String,
        "f": pl.Float64,
        "r": pl.Float32,
        "yes": pl.Boolean,
        "t": pl.String,
        "day": pl.Date,
        "at": pl.Time,
        "ts": pl.Datetime("us"),
        "tz": pl.Datetime("us", "UTC"),
        "iv": pl.Duration("us"),
        "b": pl.Binary,
    }
    for got, expected in zip(frame.rows(), ROWS, strict=True):
        wanted: list[Any] = [
            str(value) if isinstance(value, Decimal) and place == 3 else value for place, value in enumerate(expected)
        ]
        assert [repr(value).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc") for value in got] == [
            repr(value) for value in wanted
        ]


@pytest.mark.parametrize("name", ENCODERS)
def test_no_rows_are_a_whole_file(name: str) -> None:
    content = written(ENCODERS[name]())
    if name in ("arrow", "parquet"):
        frame = (pl.read_ipc_stream if name == "arrow" else pl.read_parquet)(io.BytesIO(content))
        assert (frame.height, frame.columns) == (0, [column.name for column in COLUMNS])
    elif name == "json":
        assert msgspec.json.decode(content) == []
    else:
        assert content.decode().count("\r\n") == 1


@pytest.mark.parametrize("name", ENCODERS)
def test_what_breaks_the_rows_breaks_the_file(name: str) -> None:
    class Lost(Exception):
        pass

    async def breaking() -> AsyncIterator[tuple[Row, ...]]:
        yield ROWS
        raise Lost

    async def write() -> None:
        async for _ in ENCODERS[name]().encode(COLUMNS, breaking()):
            pass

    with pytest.raises(Lost):
        asyncio.run(write())


@pytest.mark.parametrize("name", ENCODERS)
def test_a_reader_who_leaves_leaves_nothing_behind(name: str) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[tuple[Row, ...]]:
        try:
            while True:
                yield ROWS * 1000
        finally:
            closed.set()

    async def read() -> None:
        rows = endless()
        pieces = ENCODERS[name]().encode(COLUMNS, rows)
        await anext(pieces)
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]
        await rows.aclose()  # type: ignore[attr-defined]
        assert closed.is_set()

    asyncio.run(read())


def test_a_writer_whose_rows_never_come_can_be_cancelled() -> None:
    async def never() -> AsyncIterator[tuple[Row, ...]]:
        yield ROWS
        asked.set()
        await asyncio.Event().wait()

    async def read() -> None:
        async for _ in ParquetRows().encode(COLUMNS, never()):
            pass

    async def cancel() -> None:
        reading = asyncio.create_task(read())
        await asked.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled()

    asked = asyncio.Event()
    asyncio.run(cancel())


def test_a_writer_is_cancelled_before_its_thread_knows_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that asks for rows is held until the reader has gone."""
    gone, asked = threading.Event(), asyncio.Event()
    ask = asyncio.run_coroutine_threadsafe

    def slowly(wanted: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Future[Any]:
        asking = ask(wanted, loop)
        if not asking.done() and "_next_batch" in repr(wanted):
            gone.wait(10)
        return asking

    async def never() -> AsyncIterator[tuple[Row, ...]]:
        asked.set()
        await asyncio.Event().wait()
        yield ROWS

    async def read() -> None:
        async for _ in ParquetRows().encode(COLUMNS, never()):
            pass

    async def cancel() -> None:
        reading = asyncio.create_task(read())
        await asked.wait()
        reading.cancel()
        await asyncio.sleep(0)  # so that it has given up
        asyncio.get_running_loop().call_soon(gone.set)
        await asyncio.wait_for(asyncio.gather(reading, return_exceptions=True), 20)
        assert reading.cancelled()

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", slowly)
    asyncio.run(cancel())


def test_memory_is_that_of_a_few_batches() -> None:
    import resource

    batch: tuple[Row, ...] = tuple((number, f"{number * 7919}" * 8) for number in range(5000))
    columns = (Column("n", "bigint"), Column("t", "text"))

    async def many(count: int) -> AsyncIterator[tuple[Row, ...]]:
        for _ in range(count):
            yield batch

    async def write(encoder: RowEncoder, count: int) -> None:
        async for _ in encoder.encode(columns, many(count)):
            pass

    for make in ENCODERS.values():
        asyncio.run(write(make(), 40))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for make in ENCODERS.values():
        asyncio.run(write(make(), 200))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB; the rows are 300 MB of text
