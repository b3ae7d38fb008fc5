"""What every source promises (``application/ports/source.py``)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kubescribe.application.ports.source import InputRecord, Source
from kubescribe.domain.errors import DatabaseUnavailable, QueryFailed

from .conftest import World

pytestmark = pytest.mark.usefixtures("flights")

ALL = "SELECT id, origin, month, delay FROM flights ORDER BY id"


def whole(source: Source, query: str, **binds: Any) -> pl.DataFrame:
    frames = list(source.read(query, binds, name="q", batch=None))
    assert len(frames) == 1
    return frames[0]


def record(source: Source, query: str, **binds: Any) -> InputRecord:
    reading = source.read(query, binds, name="flights", batch=None)
    list(reading)
    return reading.record()


def test_a_whole_read_is_one_frame_in_the_querys_order(world: World, flights: Callable[[], pl.DataFrame]) -> None:
    assert_frame_equal(whole(world.open(), ALL), flights())


def test_a_scan_gives_batches_of_at_most_that_many_rows(world: World, flights: Callable[[], pl.DataFrame]) -> None:
    frames = list(world.open().read(ALL, {}, name="q", batch=2))
    assert [frame.height for frame in frames] == [2, 2, 1]
    assert_frame_equal(pl.concat(frames), flights())


@pytest.mark.parametrize("batch", [None, 1, 100])
def test_no_rows_are_one_empty_frame_with_the_schema(
    world: World, flights: Callable[[], pl.DataFrame], batch: int | None
) -> None:
    frames = list(world.open().read("SELECT * FROM flights WHERE id > 99", {}, name="q", batch=batch))
    assert [(frame.height, frame.schema) for frame in frames] == [(0, flights().schema)]


def test_a_batch_that_fits_exactly_has_no_empty_one_after_it(world: World) -> None:
    assert [f.height for f in world.open().read(ALL, {}, name="q", batch=5)] == [5]


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_nothing_is_refused(world: World, batch: int) -> None:
    with pytest.raises(QueryFailed, match="at least 1"):
        world.open().read(ALL, {}, name="q", batch=batch)


@pytest.mark.parametrize(
    ("where", "binds", "ids"),
    [
        ("month = :month", {"month": 2}, [3, 4]),
        ("CAST(:month AS int) IS NULL OR month = :month", {"month": None}, [1, 2, 3, 4, 5]),
        ("CAST(:month AS int) IS NULL OR month = :month", {"month": 3}, [5]),
        ("origin = :origin", {"origin": "O'Hare"}, [5]),
        ("origin = :origin", {"origin": "'; DROP TABLE flights; --"}, []),
        ("origin = :origin", {"origin": "\\' OR true OR '"}, []),
        ("origin = :origin", {"origin": ":month"}, []),
        ("delay > :low AND delay < :high", {"low": -4.5, "high": 0.75}, [1, 3]),
        ("id = ANY(:ids)", {"ids": [1, 4]}, [1, 4]),
        ("origin = ANY(:names)", {"names": ["JFK", "O'Hare"]}, [2, 5]),
        ("(month = 1) = :yes", {"yes": True}, [1, 2]),
        ("month = :month AND origin <> ':month'", {"month": 1}, [1, 2]),
        ("id > :low", {"low": -5}, [1, 2, 3, 4, 5]),
        ("id - :x = 0", {"x": 3}, [3]),
        ("id < :big", {"big": 2**40}, [1, 2, 3, 4, 5]),
    ],
)
def test_binds_are_values_and_never_text(world: World, where: str, binds: dict[str, Any], ids: list[int]) -> None:
    assert whole(world.open(), f"SELECT id FROM flights WHERE {where} ORDER BY id", **binds)["id"].to_list() == ids


@pytest.mark.parametrize(
    ("query", "binds", "message"),
    [
        ("SELECT id FROM flights WHERE id = :id", {}, "the bind :id has no value"),
        ("SELECT id FROM flights", {"id": 1}, "there is no bind :id in the query"),
        ("SELECT id FROM flights WHERE id = :id", {"id": {"a": 1}}, "the bind :id is of type dict"),
        ("SELECT id FROM flights WHERE id = ANY(:ids)", {"ids": [1, object()]}, "an element of the bind :ids is of"),
        ("SELECT id FROM flights WHERE origin = :o", {"o": "a\0b"}, "NUL"),
        ("SELECT id FROM flights WHERE origin = :o", {"o": "a\ud800b"}, "half a character"),
        ("SELECT nope FROM flights", {}, "nope"),
        ("SELECT id FROM nowhere", {}, "nowhere"),
        ("SELECT id, month AS id FROM flights", {}, "id"),
        ("SELECT id FROM flights; SELECT 2", {}, "several statements"),
        ("DROP TABLE flights", {}, "begins with DROP"),
        ("INSERT INTO flights SELECT * FROM flights", {}, "begins with INSERT"),
        ("SELECT FROM WHERE", {}, ""),
        ("", {}, "empty"),
    ],
)
def test_a_wrong_query_is_named(world: World, query: str, binds: dict[str, Any], message: str) -> None:
    source = world.open()
    with pytest.raises(QueryFailed, match="query flights failed: ") as error:
        list(source.read(query, binds, name="flights", batch=None))
    assert message in str(error.value)
    assert whole(source, "SELECT id FROM flights").height == 5  # and nothing else is harmed


def test_all_reads_see_one_moment(world: World, flights: Callable[[], pl.DataFrame]) -> None:
    source, fresh = world.open(), world.open(snapshot="read")
    first = record(source, ALL), record(fresh, ALL)
    world.put("flights", flights().head(2))
    second = record(source, ALL), record(fresh, ALL)
    assert [record.rows for record in (*first, *second)] == [5, 5, 5, 2]
    assert first[0].snapshot == second[0].snapshot is not None


def test_a_change_before_the_first_read_is_seen(world: World, flights: Callable[[], pl.DataFrame]) -> None:
    source = world.open()
    world.put("flights", flights().head(2))
    assert whole(source, ALL).height == 2


def test_scans_may_interleave(world: World) -> None:
    source = world.open()
    one, other = (iter(source.read(ALL, {}, name=name, batch=2)) for name in ("one", "other"))
    seen = [next(one)["id"][0], next(other)["id"][0], next(one)["id"][0], whole(source, ALL)["id"][4]]
    seen += [next(other)["id"][0], next(other)["id"][0], next(one)["id"][0]]
    assert seen == [1, 1, 3, 5, 3, 5, 5]


def test_a_query_is_iterated_once(world: World) -> None:
    reading = world.open().read(ALL, {}, name="q", batch=2)
    list(reading)
    with pytest.raises(QueryFailed, match="iterated before"):
        list(reading)


def test_the_record_says_what_was_read(world: World) -> None:
    source = world.open()
    reading = source.read(ALL, {}, name="flights", batch=2)
    frames = iter(reading)
    next(frames)
    assert reading.record().rows == 2
    rest = list(frames)
    full = reading.record()
    assert (full.name, full.rows) == ("flights", 5)
    assert full.bytes > sum(frame.estimated_size() for frame in rest)
    assert full.seconds > 0
    assert len(full.query_hash) == len(full.fingerprint) == 16


def test_hash_and_fingerprint_are_of_text_and_types_alone(world: World) -> None:
    source = world.open()
    query = "SELECT id FROM flights WHERE month = :month"
    one, other = record(source, query, month=1), record(source, query, month=2)
    assert (one.query_hash, one.fingerprint) == (other.query_hash, other.fingerprint)
    renamed = record(source, "SELECT id AS flight FROM flights WHERE month = :month", month=1)
    assert renamed.query_hash != one.query_hash
    assert renamed.fingerprint != one.fingerprint


def test_a_relay_says_its_columns_and_what_was_handed_on(world: World) -> None:
    relay = world.open().relay("SELECT id, origin FROM flights WHERE month = :month", {"month": 1}, name="flights")
    assert [column.name for column in relay.columns] == ["id", "origin"]
    size = sum(len(data) for data in relay)
    full = relay.record()
    assert (full.name, full.rows) == ("flights", 2)
    assert full.bytes > 0 and size > 0
    assert len(full.query_hash) == len(full.fingerprint) == 16


def test_a_relay_sees_the_moment_of_the_other_reads(world: World, flights: Callable[[], pl.DataFrame]) -> None:
    source = world.open()
    first = record(source, ALL)
    world.put("flights", flights().head(2))
    relay = source.relay(ALL, {}, name="q")
    list(relay)
    assert (relay.record().rows, relay.record().snapshot) == (5, first.snapshot)


@pytest.mark.parametrize(
    ("query", "binds", "message"),
    [
        ("SELECT id FROM flights WHERE id = :id", {}, "the bind :id has no value"),
        ("SELECT nope FROM flights", {}, "nope"),
        ("SELECT id, month AS id FROM flights", {}, "id"),
        ("DROP TABLE flights", {}, "begins with DROP"),
    ],
)
def test_a_wrong_relay_is_named(world: World, query: str, binds: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryFailed, match="query flights failed: ") as error:
        list(world.open().relay(query, binds, name="flights"))
    assert message in str(error.value)


def test_nothing_is_relayed_after_done(world: World) -> None:
    source = world.open()
    list(source.relay(ALL, {}, name="q"))
    source.done()
    with pytest.raises(QueryFailed, match=r"query late failed.*source_done"):
        source.relay(ALL, {}, name="late")


def test_nothing_is_read_after_done(world: World) -> None:
    source = world.open()
    scan = iter(source.read(ALL, {}, name="scan", batch=1))
    next(scan)
    source.done()
    source.done()
    with pytest.raises(QueryFailed, match=r"query late failed.*source_done"):
        list(source.read(ALL, {}, name="late", batch=None))
    with pytest.raises(QueryFailed, match=r"query scan failed.*source_done"):
        list(scan)


def test_done_before_anything_was_read_is_fine(world: World) -> None:
    world.open().done()


def test_a_database_that_is_away_is_named(world: World) -> None:
    source, fresh = world.open(), world.open()
    scan = iter(source.read(ALL, {}, name="scan", batch=1))
    next(scan)
    world.go_away()
    with suppress(DatabaseUnavailable):  # or everything was on its way already: never less than all of it
        assert sum(frame.height for frame in scan) == 4
    for each in (source, fresh):
        with pytest.raises(DatabaseUnavailable, match="the production database does not answer"):
            whole(each, ALL)
