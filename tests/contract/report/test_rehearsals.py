"""How staged rows would change a live report: what is told before is what readers see afterwards."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from kubescribe.domain.difference import ColumnTotal, ReportDifference, RowTotals
from kubescribe.domain.errors import DatabaseUnavailable, Fenced
from kubescribe.domain.mode import Mode, SchemaRule
from tests.support.publishing import Attempt, World, run

LIVE = pl.DataFrame({"k": [1, 2, 3, 4], "p": ["x", "x", "y", None], "v": [1.5, 2.5, None, 4.5]})
NEW = pl.DataFrame({"k": [2, 3, 4, 5, 6], "p": ["x", "y", None, "z", "z"], "v": [2.5, 9.0, None, 5.0, 6.0]})
PARTITIONED: dict[str, Any] = {"mode": Mode.REPLACE_PARTITION, "partition_by": ("p",)}


def counts(found: ReportDifference) -> tuple[int | None, int | None, int | None]:
    return found.added, found.removed, found.changed


def rehearsed(world: World, new: pl.DataFrame = NEW, live: pl.DataFrame | None = LIVE, **how: Any) -> ReportDifference:
    """The difference, held to what publishing the same rows then does."""
    if live is not None:
        first = {name: value for name, value in how.items() if name != "schema"}
        world.published(live, **first)
    before = world.read("airports")
    attempt = world.attempt()
    staged = attempt.stage(new, **how)
    found = run(world.rehearsals.difference(staged))
    assert repr(world.read("airports")) == repr(before) and found.rows_before == len(before or ())
    attempt.publish(staged)
    assert found.rows_after == len(world.read("airports") or ())
    return found


def test_by_key_rows_are_added_removed_and_changed(world: World) -> None:
    found = rehearsed(world, key=("k",))
    assert counts(found) == (2, 1, 2)
    assert (found.report, found.mode, found.rows_before, found.rows_after) == ("airports", Mode.REPLACE, 4, 5)
    assert found.totals_before is found.totals_after is None and found.version is not None


def test_the_same_rows_change_nothing(world: World) -> None:
    assert counts(rehearsed(world, LIVE, key=("k",))) == (0, 0, 0)


def test_without_a_key_totals_tell(world: World) -> None:
    found = rehearsed(
        world, pl.DataFrame({"n": [1, 2, None], "t": ["a", None, None]}), pl.DataFrame({"n": [5, 6], "t": ["a", "b"]})
    )
    assert counts(found) == (None, None, None)
    text = ColumnTotal(name="t", nulls=0)
    assert found.totals_before == RowTotals(rows=2, columns=(ColumnTotal(name="n", nulls=0, sum="11"), text))
    text = ColumnTotal(name="t", nulls=2)
    assert found.totals_after == RowTotals(rows=3, columns=(ColumnTotal(name="n", nulls=1, sum="3"), text))


def test_a_report_that_is_not_there_yet_is_all_new(world: World) -> None:
    found = rehearsed(world, live=None)
    assert counts(found) == (5, 0, 0) and (found.version, found.rows_before) == (None, 0)


def test_merging_changes_rows_of_the_same_key_and_removes_none(world: World) -> None:
    assert counts(rehearsed(world, mode=Mode.MERGE, key=("k",))) == (2, 0, 2)


def test_appending_only_adds(world: World) -> None:
    assert counts(rehearsed(world, mode=Mode.APPEND)) == (5, 0, 0)


def test_partitions_are_replaced_whole_that_of_the_nulls_too(world: World) -> None:
    found = rehearsed(world, NEW.head(3), **PARTITIONED)
    assert found.totals_before is not None and found.totals_before.rows == 4
    assert rehearsed_again(world, NEW.filter(pl.col("p") == "x")) == (0, 0, 0)
    assert rehearsed_again(world, NEW.with_columns(p=pl.lit("x"), k=pl.col("k") + 100)) == (5, 1, 0)


def rehearsed_again(world: World, new: pl.DataFrame) -> tuple[int | None, int | None, int | None]:
    return counts(run(world.rehearsals.difference(world.attempt().stage(new, key=("k",), **PARTITIONED))))


def test_columns_that_come_and_go_are_named(world: World) -> None:
    new = pl.DataFrame({"k": [1, 2], "v": ["a", "b"], "w": [True, False]})
    found = rehearsed(world, new, key=("k",), schema=SchemaRule.RECREATE)
    assert (found.columns_added, found.columns_removed, found.columns_retyped) == (("w",), ("p",), ("v",))
    assert counts(found) == (0, 2, 0)


def test_a_column_may_have_any_name_and_type(world: World) -> None:
    frame = pl.DataFrame({"here": [1, 2], "^a$": [None, 0.1], 'q"': [b"\0", None], "n": [float("nan"), 1.0]})
    assert counts(rehearsed(world, frame, frame, key=("here",))) == (0, 0, 0)


def test_what_was_discarded_cannot_be_compared(world: World) -> None:
    attempt: Attempt = world.attempt()
    staged = attempt.stage()
    run(world.publisher.discard(attempt.run_id))
    with pytest.raises(Fenced):
        run(world.rehearsals.difference(staged))


def test_away(world: World) -> None:
    staged = world.attempt().stage()
    with pytest.raises(DatabaseUnavailable):
        run(world.away().rehearsals.difference(staged))
