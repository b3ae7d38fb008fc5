"""What every adapter of the port ReportReader promises."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from kubescribe.application.ports.report_reader import Row, RowPage
from kubescribe.domain.errors import (
    BadCursor,
    BadRowQuery,
    DatabaseUnavailable,
    ReportNotFound,
    RunDidNotPublish,
    TooManyRows,
    VersionGone,
    VersionNotKept,
)
from kubescribe.domain.mode import Mode, SchemaRule
from kubescribe.domain.report import Column
from kubescribe.domain.report_query import Filter, Operator, RowQuery, Sort
from kubescribe.domain.report_value import text_of
from tests.support.publishing import World, run, small

MONDAY = datetime(2013, 1, 7, tzinfo=UTC)
EVERY = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "i16": [-32768, 0, 32767, None],
        "i32": [-(2**31), 0, 2**31 - 1, None],
        "i64": [-(2**63), 2**53 + 1, 2**63 - 1, None],
        "dec": [Decimal("-1.50"), Decimal("0.00"), Decimal("99999999.99"), None],
        "f32": [0.1, math.inf, math.nan, None],
        "f64": [-1e308, 5e-324, math.nan, None],
        "yes": [True, False, True, None],
        "t": ["", "ab'c", "b\n\\x", None],
        "d": [date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31), None],
        "tm": [time(0), time(12, 30, 1, 5), time(23, 59, 59, 999999), None],
        "ts": [datetime(1, 1, 1), datetime(2024, 2, 29, 1, 2, 3, 4), datetime(9999, 12, 31, 23, 59, 59, 999999), None],
        "tz": [MONDAY, MONDAY + timedelta(microseconds=1), datetime(9999, 12, 31, tzinfo=UTC), None],
        "iv": [timedelta(days=-3, microseconds=1), timedelta(0), timedelta(days=400, seconds=3), None],
        "b": [b"", b"\x00\xff", b"a", None],
    },
    schema={
        "id": pl.Int64,
        "i16": pl.Int16,
        "i32": pl.Int32,
        "i64": pl.Int64,
        "dec": pl.Decimal(10, 2),
        "f32": pl.Float32,
        "f64": pl.Float64,
        "yes": pl.Boolean,
        "t": pl.String,
        "d": pl.Date,
        "tm": pl.Time,
        "ts": pl.Datetime("us"),
        "tz": pl.Datetime("us", "UTC"),
        "iv": pl.Duration("us"),
        "b": pl.Binary,
    },
)


def asked(report: str = "airports", *filters: tuple[str, str, Any], sort: str = "", **more: Any) -> RowQuery:
    """``filters``: column, operator, and a value or a list of them. ``sort``: names, ``-`` for downwards."""
    return RowQuery(
        report=report,
        filters=tuple(
            Filter(column, Operator(operator), tuple(value) if isinstance(value, list) else (value,))
            for column, operator, value in filters
        ),
        sort=tuple(Sort(name.lstrip("-"), name.startswith("-")) for name in sort.split()),
        **more,
    )


def pages(world: World, query: RowQuery, limit: int = 2) -> list[RowPage]:
    """All pages of a question."""
    found = [run(world.reader.page(query, limit=limit))]
    while found[-1].next is not None:
        assert len(found[-1].rows) == limit
        found.append(run(world.reader.page(query, limit=limit, after=found[-1].next)))
    return found


def rows(world: World, query: RowQuery, limit: int = 2) -> list[Any]:
    return [row for page in pages(world, query, limit) for row in page.rows]


def streamed(world: World, query: RowQuery, **more: Any) -> list[Row]:
    async def read() -> list[Row]:
        async with world.reader.stream(query, **more) as stream:
            return [row for batch in [batch async for batch in stream.batches] for row in batch]

    return run(read())


# -- what there is ---------------------------------------------------------------------------------------------------


def test_a_summary_says_what_is_shown_and_how_old_it_is(world: World) -> None:
    first = world.published(small(1), slot=MONDAY, key=("k",))
    second = world.published(small(2), slot=MONDAY + timedelta(days=1), key=("k",))
    found = run(world.reader.summary("airports"))
    assert found.report == run(world.catalogue.get("airports"))
    assert (found.key, found.slot, found.made_by) == (("k",), second.slot, second)
    assert found.kept == (second, first)
    assert 0 <= found.age < 100


def test_after_a_rollback_the_run_that_made_the_rows_is_named(world: World) -> None:
    first = world.published(small(1), slot=MONDAY)
    world.published(small(2), slot=MONDAY + timedelta(days=1))
    run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    found = run(world.reader.summary("airports"))
    assert (found.made_by, found.slot) == (first, MONDAY)
    assert found.report.current.kind == "rollback"


def test_summaries_come_by_name(world: World) -> None:
    for name in ("b", "a_b", "ab", "a"):
        world.published(report=name)
    assert [one.report.name for one in run(world.reader.summaries())] == ["a", "a_b", "ab", "b"]


# -- rows ------------------------------------------------------------------------------------------------------------


def test_every_type_comes_back_as_it_went_in(world: World) -> None:
    world.published(EVERY, key=("id",))
    page = run(world.reader.page(asked()))
    assert [column.name for column in page.columns] == EVERY.columns
    assert page.source.rows == 4
    for got, expected in zip(page.rows, EVERY.rows(), strict=True):
        assert [text_of(value) for value in got] == [text_of(value) for value in expected]
        assert [type(value) for value in got] == [type(value) for value in expected]


def test_every_type_is_found_by_its_text(world: World) -> None:
    world.published(EVERY, key=("id",))
    for place, name in enumerate(EVERY.columns):
        for row in EVERY.rows()[:3]:
            text = text_of(row[place])
            found = rows(world, asked("airports", (name, "eq", text), (name, "in", [text]), columns=("id",)), 9)
            assert (row[0],) in found, (name, text)
            rest = rows(world, asked("airports", (name, "ne", text), columns=("id",)), 9)
            assert sorted(rest + found) == [(1,), (2,), (3,), (4,)], (name, text)


@pytest.mark.parametrize("name", [name for name in EVERY.columns if name not in ("id", "yes")])
def test_every_type_is_compared_and_sorted_alike(world: World, name: str) -> None:
    world.published(EVERY, key=("id",))
    there = EVERY.get_column(name).to_list()
    upwards = [row[0] for row in rows(world, asked(sort=name, columns=(name, "id")), 1)]
    assert [text_of(value) for value in upwards[:3]] == [
        text_of(value) for value in sorted(there[:3], key=lambda one: (one != one, one))
    ]
    assert upwards[3] is None  # nulls come last
    downwards = [row[0] for row in rows(world, asked(sort=f"-{name}", columns=(name, "id")), 1)]
    assert [text_of(value) for value in downwards[:3]] == [text_of(value) for value in upwards[2::-1]]
    assert downwards[3] is None
    middle = text_of(upwards[1])
    for operator, expected in (("lt", 1), ("le", 2), ("gt", 1), ("ge", 2)):
        assert len(rows(world, asked("airports", (name, operator, middle)), 9)) == expected, operator


def test_nulls_are_found_and_left_out(world: World) -> None:
    world.published(EVERY, key=("id",))
    for name in EVERY.columns[1:]:
        assert rows(world, asked("airports", (name, "is_null", "true"), columns=("id",))) == [(4,)]
        assert len(rows(world, asked("airports", (name, "is_null", "false")), 9)) == 3


def test_contains_is_about_characters_and_no_pattern(world: World) -> None:
    texts = ["100%", "1000", "a_b", "axb", "Ab", "\\", "", None, "é"]
    world.published(pl.DataFrame({"t": texts}))
    for part, expected in (("0%", ["100%"]), ("_", ["a_b"]), ("b", ["a_b", "axb", "Ab"]), ("\\", ["\\"]), ("é", ["é"])):
        assert [row[0] for row in rows(world, asked("airports", ("t", "contains", part)))] == expected
    assert len(rows(world, asked("airports", ("t", "contains", "")))) == 8


def test_all_filters_have_to_hold(world: World) -> None:
    world.published(EVERY, key=("id",))
    query = asked("airports", ("i16", "ge", "0"), ("yes", "eq", "true"), columns=("id", "t"))
    assert rows(world, query) == [(3, "b\n\\x")]


def test_an_empty_report_has_one_page_without_rows(world: World) -> None:
    world.published(EVERY.clear())
    page = run(world.reader.page(asked()))
    assert (page.rows, page.next, page.source.rows) == ((), None, 0)
    assert streamed(world, asked()) == []


# -- order and pages ---------------------------------------------------------------------------------------------------


def test_without_a_sort_rows_come_by_the_key(world: World) -> None:
    world.published(pl.DataFrame({"a": [1, 2, 3, 4], "b": ["z", "y", "x", "w"]}), key=("b",))
    assert [row[0] for row in rows(world, asked())] == [4, 3, 2, 1]


def test_without_a_key_rows_come_as_they_were_written(world: World) -> None:
    world.published(pl.DataFrame({"a": [3, 1, 1, 1, 2]}))
    assert [row[0] for row in rows(world, asked())] == [3, 1, 1, 1, 2]


@pytest.mark.parametrize("sort", ["g", "-g", "g -n", "-g n", "n", "-n g", "-n -g", "k", "-k"])
@pytest.mark.parametrize("key", [("k",), ()])
def test_every_row_comes_once_whatever_the_order(world: World, sort: str, key: tuple[str, ...]) -> None:
    frame = pl.DataFrame(
        {
            "k": range(30),
            "g": [[None, "a", "b"][n % 3] for n in range(30)],
            "n": [[math.nan, None, 1.5, -math.inf, 0.0][n % 5] for n in range(30)],
        }
    )
    world.published(frame, key=key)
    for limit in (4, 7):
        found = rows(world, asked(sort=sort), limit)
        assert sorted(row[0] for row in found) == list(range(30))
        assert [text_of(v) for row in found for v in row] == [
            text_of(v) for row in streamed(world, asked(sort=sort)) for v in row
        ]


def test_pages_by_place_go_through_a_whole_table(world: World) -> None:
    frame = pl.DataFrame({"n": range(30_000), "t": ["x" * 60] * 30_000})
    world.published(frame)
    found = run(world.reader.page(asked(), limit=500))
    found = run(world.reader.page(asked(), limit=500, after=found.next))
    assert [row[0] for row in found.rows] == list(range(500, 1000))
    for text in ("29999", "17"):  # far behind, and once in the whole table
        page = run(world.reader.page(asked("airports", ("n", "eq", text)), limit=500))
        assert ([row[0] for row in page.rows], page.next) == ([int(text)], None)
    seen = [row[0] for row in rows(world, asked("airports", ("n", "ge", "26000"), columns=("n",)), 500)]
    assert seen == list(range(26_000, 30_000))


def test_a_key_of_several_columns_goes_on_in_its_middle(world: World) -> None:
    frame = pl.DataFrame({"a": [1, 1, 2, 2, 3], "b": ["x", "y", "x", "y", "x"]})
    world.published(frame, key=("a", "b"))
    assert rows(world, asked(), 1) == sorted(frame.rows())
    assert rows(world, asked(sort="-b"), 1) == [(2, "y"), (1, "y"), (3, "x"), (2, "x"), (1, "x")]


def test_columns_come_as_they_are_asked_for(world: World) -> None:
    world.published(small(1))
    page = run(world.reader.page(asked(columns=("t", "k"), sort="-k"), limit=1))
    assert page.columns == (Column("t", "text"), Column("k", "bigint"))
    assert page.rows == ((None, 3),)


@pytest.mark.parametrize("limit", [0, -1, 501, 10**30])
def test_a_page_has_a_size(world: World, limit: int) -> None:
    world.published()
    with pytest.raises(BadRowQuery, match="1 to 500"):
        run(world.reader.page(asked(), limit=limit))


# -- versions --------------------------------------------------------------------------------------------------------


def test_a_report_as_it_was(world: World) -> None:
    first, second = world.published(small(1)), world.published(small(2))
    assert [row[0] for row in rows(world, asked())] == [2, 3, 4]
    assert [row[0] for row in rows(world, asked(version=first.version))] == [1, 2, 3]
    assert [row[0] for row in rows(world, asked(as_of_run=first.run_id))] == [1, 2, 3]
    assert [row[0] for row in rows(world, asked(as_of_run=second.run_id))] == [2, 3, 4]
    assert [row[0] for row in streamed(world, asked(version=first.version))] == [1, 2, 3]
    assert run(world.reader.page(asked(version=first.version))).source.publication == first


def test_as_a_rollback_left_it(world: World) -> None:
    world.published(small(1))
    world.published(small(2))
    rollback = uuid4()
    run(world.catalogue.roll_back("airports", to=None, rollback_id=rollback, actor="eve", reason=None))
    world.published(small(3))
    assert [row[0] for row in rows(world, asked(as_of_run=rollback))] == [1, 2, 3]


def test_an_appended_report_as_it_was(world: World) -> None:
    published = [world.published(small(n * 10), mode=Mode.APPEND) for n in (1, 2, 3)]
    assert [row[0] for row in rows(world, asked())] == [10, 11, 12, 20, 21, 22, 30, 31, 32]
    for count, one in enumerate(published, 1):
        page = run(world.reader.page(asked(version=one.version)))
        assert len(page.rows) == page.source.rows == 3 * count
        assert len(streamed(world, asked(as_of_run=one.run_id))) == 3 * count


def test_a_version_has_the_columns_that_it_was_published_with(world: World) -> None:
    first = world.published(small(1))
    world.published(small(2).with_columns(pl.lit("more").alias("m")))
    assert run(world.reader.page(asked(version=first.version))).rows[0] == (1, "a")
    assert run(world.reader.page(asked())).rows[0] == (2, "a", "more")


def test_versions_that_are_not_there(world: World) -> None:
    old = world.published(small(1))
    staged = world.attempt().stage()
    new = world.published(small(2))
    run(world.publisher.retire("airports", 1))
    for version in (staged.version, 10_000, -1, 10**30):
        with pytest.raises(VersionNotKept):
            run(world.reader.page(asked(version=version)))
    with pytest.raises(VersionGone) as caught:
        run(world.reader.page(asked(version=old.version)))
    assert str(new.version) in str(caught.value)
    with pytest.raises(VersionGone):
        run(world.reader.source(asked(as_of_run=old.run_id)))
    with pytest.raises(RunDidNotPublish):
        run(world.reader.page(asked(as_of_run=uuid4())))
    with pytest.raises(BadRowQuery, match="give one of them"):
        run(world.reader.page(asked(as_of_run=old.run_id, version=new.version)))


def test_an_overwritten_report_has_what_is_shown_alone(world: World) -> None:
    old = world.published(small(1), mode=Mode.MERGE, key=("k",))
    new = world.published(small(3), mode=Mode.MERGE, key=("k",))
    page = run(world.reader.page(asked(version=new.version)))
    assert [row[0] for row in page.rows] == [1, 2, 3, 4, 5]
    assert (page.source.rows, page.source.fixed) == (5, False)
    with pytest.raises(VersionGone, match="overwrites rows"):
        run(world.reader.page(asked(version=old.version)))


# -- pages while others publish ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.REPLACE, Mode.APPEND])
@pytest.mark.parametrize("sort", ["", "-t"])
def test_the_pages_of_a_question_are_of_one_version(world: World, mode: Mode, sort: str) -> None:
    before = world.published(small(10), mode=mode)
    first = run(world.reader.page(asked(sort=sort), limit=2))
    world.published(small(1), mode=mode)
    second = run(world.reader.page(asked(sort=sort), limit=2, after=first.next))
    assert second.source.version == before.version
    assert second.next is None
    assert {row[0] for row in first.rows + second.rows} == {10, 11, 12}
    assert len(first.rows + second.rows) == 3
    assert first.source.fixed


@pytest.mark.parametrize("how", [{"mode": Mode.MERGE, "key": ("k",)}, {"mode": Mode.REPLACE_PARTITION}])
def test_where_rows_are_overwritten_those_that_stay_come_once(world: World, how: dict[str, Any]) -> None:
    if how["mode"] is Mode.REPLACE_PARTITION:
        how = {**how, "partition_by": ("k",)}
    world.published(pl.DataFrame({"k": [1, 2, 3, 4, 5], "t": ["a"] * 5}), **how)
    first = run(world.reader.page(asked(), limit=2))
    world.published(pl.DataFrame({"k": [2, 4], "t": ["b"] * 2}), **how)
    later = run(world.reader.page(asked(), limit=9, after=first.next))
    assert [row[0] for row in first.rows] == [1, 2]
    assert {3, 5} <= {row[0] for row in later.rows} <= {2, 3, 4, 5}
    assert first.source.state != later.source.state


def test_a_cursor_over_columns_that_came_later_goes_on_as_it_began(world: World) -> None:
    world.published(small(1), mode=Mode.MERGE, key=("k",))
    first = run(world.reader.page(asked(), limit=2))
    world.published(small(3).with_columns(pl.lit("m").alias("m")), mode=Mode.MERGE, key=("k",))
    later = run(world.reader.page(asked(), limit=9, after=first.next))
    assert later.rows[0] == (3, "a")
    assert later.columns == first.columns


def test_a_cursor_whose_version_was_retired_says_that_it_is_gone(world: World) -> None:
    old = world.published(small(1))
    first = run(world.reader.page(asked(), limit=1))
    world.published(small(2))
    run(world.publisher.retire("airports", 1))
    with pytest.raises(VersionGone) as caught:
        run(world.reader.page(asked(), limit=1, after=first.next))
    assert caught.value.version == old.version


def test_a_cursor_whose_rows_were_rolled_back_says_that_they_are_gone(world: World) -> None:
    world.published(small(1), mode=Mode.APPEND)
    world.published(small(11), mode=Mode.APPEND)
    first = run(world.reader.page(asked(), limit=1))
    run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    with pytest.raises(VersionGone):
        run(world.reader.page(asked(), limit=1, after=first.next))


def test_a_cursor_into_a_report_that_was_made_anew_says_that_it_is_gone(world: World) -> None:
    world.published(small(1), mode=Mode.MERGE, key=("k",))
    first = run(world.reader.page(asked(), limit=1))
    world.published(small(1).rename({"t": "u"}), mode=Mode.MERGE, key=("k",), schema=SchemaRule.RECREATE)
    with pytest.raises(VersionGone):
        run(world.reader.page(asked(), limit=1, after=first.next))


def test_a_cursor_serves_the_question_that_it_is_of(world: World) -> None:
    world.published(small(1))
    world.published(small(1), report="other")
    cursor = run(world.reader.page(asked(), limit=1)).next
    assert cursor is not None
    for other in (
        asked("other"),
        asked(sort="k"),
        asked("airports", ("k", "gt", "0")),
        asked(columns=("k",)),
        asked(version=1),
    ):
        with pytest.raises(BadCursor, match="another question"):
            run(world.reader.page(other, limit=1, after=cursor))
    for wrong in (
        "",
        "x",
        cursor[:-3],
        cursor[:20] + "A" + cursor[21:],
        "\0",
        "é" * 40,
        "A" * 100_000,
        cursor + "====",
    ):
        with pytest.raises(BadCursor):
            run(world.reader.page(asked(), limit=1, after=wrong))


def test_a_value_too_long_for_a_cursor_is_said(world: World) -> None:
    world.published(pl.DataFrame({"t": ["x" * 20_000, "y" * 20_000]}))
    with pytest.raises(BadRowQuery, match="too long to go on from"):
        run(world.reader.page(asked(sort="t"), limit=1))
    assert len(rows(world, asked(), 1)) == 2


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (asked("airports", ("i16", "eq", "x")), "smallint: give a whole number from -32768 to 32767"),
        (asked("airports", ("i16", "eq", "32768")), "smallint"),
        (asked("airports", ("i64", "eq", "9223372036854775808")), "bigint"),
        (asked("airports", ("dec", "eq", "NaN")), "a number like"),
        (asked("airports", ("dec", "eq", "1e9999")), "a number like"),
        (asked("airports", ("f32", "eq", "1e39")), "real"),
        (asked("airports", ("f64", "eq", "1e400")), "double precision"),
        (asked("airports", ("yes", "eq", "maybe")), "true or false"),
        (asked("airports", ("yes", "lt", "true")), "has no order"),
        (asked("airports", ("d", "eq", "2023-02-29")), "a date like"),
        (asked("airports", ("d", "eq", "0000-01-01")), "a date like"),
        (asked("airports", ("d", "eq", "10000-01-01")), "a date like"),
        (asked("airports", ("ts", "eq", "2024-01-01T00:00:00Z")), "without a zone"),
        (asked("airports", ("tz", "eq", "2024-01-01T00:00:00")), "offset"),
        (asked("airports", ("tz", "eq", "0001-01-01T00:00:00+14:00")), "offset"),
        (asked("airports", ("iv", "eq", "P1Y")), "ISO 8601"),
        (asked("airports", ("b", "eq", "0aff")), "hexadecimal"),
        (asked("airports", ("i16", "contains", "1")), "text alone"),
        (asked("airports", ("t", "eq", "a\0b")), "NUL"),
        (asked("airports", ("t", "eq", "\ud800")), "half a character"),
        (asked("airports", ("t", "eq", "x" * 10_001)), "longer than"),
        (asked("airports", ("t", "in", [])), "1 to 500 values"),
        (asked("airports", ("t", "in", ["x"] * 501)), "1 to 500 values"),
        (asked("airports", ("t", "eq", ["a", "b"])), "one value"),
        (asked("airports", ("t", "is_null", "perhaps")), "true or false"),
        (asked("airports", *[("t", "eq", "a")] * 33), "at most 32"),
        (asked("airports", ("tt", "eq", "a")), "no column 'tt'; did you mean t"),
        (asked("airports", ("ctid", "eq", "(0,1)")), "no column"),
        (asked(sort="_version"), "no column"),
        (asked(sort="t t"), "sorted twice"),
        (asked(columns=("t", "t")), "asked for twice"),
        (asked(columns=('t", (SELECT 1) AS "x',)), "no column"),
        (asked(sort="\0"), "no column"),
        (asked(columns=("\ud800",)), "no column"),
    ],
    ids=str,
)
def test_a_question_that_does_not_fit_is_refused_with_a_sentence(world: World, query: RowQuery, words: str) -> None:
    world.published(EVERY)
    for call in (world.reader.page(query), world.reader.source(query)):
        with pytest.raises(BadRowQuery) as caught:
            run(call)
        assert words in str(caught.value)
        str(caught.value).encode()


def test_an_unknown_report_names_the_nearest(world: World) -> None:
    world.published(report="airport_delays")
    for name in ("airport_delay", "airport_delays\0", "airport_delays\ud800", "Airport_delays"):
        for call in (
            world.reader.summary(name),
            world.reader.source(asked(name)),
            world.reader.page(asked(name)),
            world.reader.difference(name, 1, 2),
        ):
            with pytest.raises(ReportNotFound) as caught:
                run(call)
            assert caught.value.nearest == ("airport_delays",)


# -- whole reports -----------------------------------------------------------------------------------------------------


def test_a_stream_is_whole_or_fails(world: World) -> None:
    frame = pl.DataFrame({"k": range(12_345)})
    world.published(frame)
    assert [row[0] for row in streamed(world, asked())] == list(range(12_345))
    assert len(streamed(world, asked("airports", ("k", "lt", "10")), limit=10)) == 10
    for query in (asked(), asked("airports", ("k", "ge", "0"))):
        with pytest.raises(TooManyRows):
            streamed(world, query, limit=12_344)


def test_a_stream_shows_one_moment(world: World) -> None:
    world.published(pl.DataFrame({"k": range(20_000)}), mode=Mode.MERGE, key=("k",))

    async def read() -> list[Any]:
        found: list[Any] = []
        async with world.reader.stream(asked()) as stream:
            async for batch in stream.batches:
                if not found:
                    attempt = second
                    await world.publisher.publish(attempt.request, (staged,))
                found += [row[0] for row in batch]
        return found

    second = world.attempt()
    staged = second.stage(pl.DataFrame({"k": [19_999, 30_000]}), mode=Mode.MERGE, key=("k",))
    assert run(read()) == list(range(20_000))
    assert len(streamed(world, asked())) == 20_001


# -- differences -------------------------------------------------------------------------------------------------------


def test_a_difference_by_key(world: World) -> None:
    was = pl.DataFrame({"k": [1, 2, 3, 4], "x": [1.0, math.nan, None, 4.0], "t": ["a", "b", "c", "d"]})
    now = pl.DataFrame({"k": [2, 3, 4, 5, 6], "x": [math.nan, 3.0, 5.0, 5.0, 6.0], "t": ["b", "c", "D", "e", "f"]})
    before, after = world.published(was, key=("k",)), world.published(now, key=("k",))
    found = run(world.reader.difference("airports", before.version, after.version))
    assert (found.key, found.rows_before, found.rows_after) == (("k",), 4, 5)
    assert (found.added, found.removed, found.changed) == (2, 1, 2)
    assert {one.name: one.changed for one in found.columns} == {"k": 0, "x": 2, "t": 1}
    assert not found.equal
    back = run(world.reader.difference("airports", after.version, before.version))
    assert (back.added, back.removed, back.changed) == (1, 2, 2)


def test_a_version_does_not_differ_from_itself(world: World) -> None:
    for how in ({}, {"key": ("id",)}):
        one = world.published(EVERY, **how)  # type: ignore[arg-type]
        found = run(world.reader.difference("airports", one.version, one.version))
        assert (found.added, found.removed, found.changed or 0, found.equal) == (0, 0, 0, True)


def test_a_difference_of_whole_rows(world: World) -> None:
    was = pl.DataFrame({"n": [1, 1, 2, None], "t": ["a", "a", "b", None]})
    now = pl.DataFrame({"n": [1, 2, 2, None], "t": ["a", "b", "b", None]})
    before, after = world.published(was), world.published(now)
    found = run(world.reader.difference("airports", before.version, after.version))
    assert (found.key, found.added, found.removed, found.changed) == ((), 1, 1, None)
    n, t = found.columns
    assert (n.name, n.nulls_before, n.nulls_after, n.sum_before, n.sum_after) == ("n", 1, 1, "4", "5")
    assert (t.nulls_before, t.sum_before) == (1, None)


def test_a_difference_where_the_key_or_the_columns_are_others(world: World) -> None:
    before = world.published(small(1), key=("k",))
    after = world.published(small(1).with_columns(pl.lit(1).alias("m")))
    found = run(world.reader.difference("airports", before.version, after.version))
    assert (found.key, found.added, found.removed, found.equal) == ((), 0, 0, False)
    assert found.columns_after == (Column("m", "integer"),)
    assert found.columns_before == ()


def test_a_difference_of_what_was_appended(world: World) -> None:
    first, second = (world.published(small(n), mode=Mode.APPEND, key=("k",)) for n in (1, 11))
    found = run(world.reader.difference("airports", first.version, second.version))
    assert (found.rows_before, found.rows_after, found.added, found.removed) == (3, 6, 3, 0)


def test_a_difference_needs_two_kept_versions(world: World) -> None:
    only = world.published()
    with pytest.raises(VersionNotKept):
        run(world.reader.difference("airports", only.version, 99))


def test_a_database_that_is_away_says_so(world: World) -> None:
    away = world.away().reader

    async def stream() -> None:
        async with away.stream(asked()):
            pass

    for call in (
        away.summaries(),
        away.summary("airports"),
        away.source(asked()),
        away.page(asked()),
        away.difference("airports", 1, 2),
        stream(),
    ):
        with pytest.raises(DatabaseUnavailable):
            run(call)
