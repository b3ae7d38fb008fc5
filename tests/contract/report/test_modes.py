"""What every adapter promises of the modes that change rows in place, and of the ledger's figures in all modes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from kubescribe.domain.errors import ChecksFailed, Fenced, ReportMismatch, Superseded
from kubescribe.domain.mode import Mode, SchemaRule
from tests.support.modes import IN_PLACE, MODES
from tests.support.publishing import World, run

MONDAY = datetime(2013, 1, 7, tzinfo=UTC)
DAY = timedelta(days=1)
Row = tuple[int | None, str | None, str | None]


def frame(*rows: Row) -> pl.DataFrame:
    """Rows of a key, a partition and a text."""
    return pl.DataFrame(list(rows), schema={"k": pl.Int64, "p": pl.String, "t": pl.String}, orient="row")


def rows_of(world: World, report: str = "airports") -> list[Row]:
    return sorted(world.read(report) or (), key=str)


FIRST = frame((1, "a", "one"), (2, "a", "two"), (3, "b", "three"), (4, None, "four"))
AFTER = {  # of (2, 5) published after FIRST
    "replace": [(2, "a", "new"), (5, None, "five")],
    "append": [*FIRST.rows(), (2, "a", "new"), (5, None, "five")],
    "merge": [(1, "a", "one"), (2, "a", "new"), (3, "b", "three"), (4, None, "four"), (5, None, "five")],
    "replace_partition": [(2, "a", "new"), (3, "b", "three"), (5, None, "five")],
}
SECOND = frame((2, "a", "new"), (5, None, "five"))
FIGURES = {  # inserted, updated, deleted, total
    "replace": (None, None, None, 2),
    "append": (2, 0, 0, 6),
    "merge": (1, 1, 0, 5),
    "replace_partition": (2, 0, 3, 3),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_first_publication_makes_the_report(world: World, mode: str) -> None:
    row = world.published(FIRST, **MODES[mode])
    assert rows_of(world) == sorted(FIRST.rows(), key=str)
    assert (row.mode, row.rows, row.total, row.shown) == (mode, 4, 4, 4)
    report = run(world.catalogue.get("airports"))
    assert (report.mode, report.current, report.versions) == (mode, row, (row.version,))
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_later_publication_changes_what_its_mode_says_and_the_ledger_counts_it(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    row = world.published(SECOND, **MODES[mode])
    assert rows_of(world) == sorted(AFTER[mode], key=str)
    assert (row.inserted, row.updated, row.deleted, row.total) == FIGURES[mode]
    assert (row.rows, row.mode, row.generation) == (2, mode, 1)
    assert run(world.catalogue.verify("airports")).differences == ()
    assert run(world.catalogue.get("airports")).current == row
    assert len(run(world.catalogue.ledger("airports"))) == 2


@pytest.mark.parametrize("mode", IN_PLACE)
def test_an_empty_frame_changes_nothing_and_is_a_publication(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    row = world.published(FIRST.clear(), **MODES[mode])
    assert rows_of(world) == sorted(FIRST.rows(), key=str)
    assert (row.rows, row.inserted, row.updated, row.deleted, row.total) == (0, 0, 0, 0, 4)
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", IN_PLACE)
def test_an_empty_first_publication_makes_an_empty_report(world: World, mode: str) -> None:
    world.published(FIRST.clear(), **MODES[mode])
    assert rows_of(world) == []
    world.published(FIRST, **MODES[mode])
    assert rows_of(world) == sorted(FIRST.rows(), key=str)
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", MODES)
def test_publishing_again_returns_what_was_published_and_changes_nothing(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    attempt = world.attempt()
    staged = attempt.stage(SECOND, **MODES[mode])
    first = attempt.publish(staged)
    assert attempt.publish(staged) == first
    assert rows_of(world) == sorted(AFTER[mode], key=str)
    assert len(run(world.catalogue.ledger("airports"))) == 2


@pytest.mark.parametrize("mode", MODES)
def test_an_attempt_that_was_given_up_changes_nothing(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    old = world.attempt()
    staged = old.stage(SECOND, **MODES[mode])
    world.attempt(old.run_id)
    with pytest.raises(Fenced):
        old.publish(staged)
    assert rows_of(world) == sorted(FIRST.rows(), key=str)


@pytest.mark.parametrize("mode", MODES)
def test_what_was_staged_and_discarded_is_not_published(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    attempt = world.attempt()
    staged = attempt.stage(SECOND, **MODES[mode])
    run(world.publisher.discard(attempt.run_id))
    with pytest.raises(Fenced, match="discarded"):
        attempt.publish(staged)
    assert run(world.publisher.unpublished()) == ()


@pytest.mark.parametrize("mode", IN_PLACE)
def test_what_was_staged_goes_when_it_is_in_the_report(world: World, mode: str) -> None:
    first = world.published(FIRST, **MODES[mode])
    attempt = world.attempt()
    attempt.publish(attempt.stage(SECOND, **MODES[mode]))
    run(world.publisher.retire("airports", 5))
    run(world.publisher.discard(attempt.run_id))
    assert run(world.publisher.unpublished()) == ()
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()
    assert rows_of(world) == sorted(AFTER[mode], key=str)
    assert run(world.publisher.retire("airports", 1)) == ()
    assert first.version  # its table holds the report, and stays however many publications follow
    assert run(world.catalogue.verify("airports")).differences == ()


def test_all_modes_in_one_run_or_none(world: World) -> None:
    for mode in MODES:
        world.published(FIRST, mode, **MODES[mode], slot=MONDAY)
    late = world.attempt(slot=MONDAY - DAY)
    staged = [late.stage(SECOND, mode, **MODES[mode]) for mode in MODES]
    with pytest.raises(Superseded):
        late.publish(*staged)
    for mode in MODES:
        assert rows_of(world, mode) == sorted(FIRST.rows(), key=str)
    attempt = world.attempt(slot=MONDAY + DAY)
    published = attempt.publish(*(attempt.stage(SECOND, mode, **MODES[mode]) for mode in MODES), attempt.stage())
    assert [row.report for row in published] == ["airports", "append", "merge", "replace", "replace_partition"]
    for mode in MODES:
        assert rows_of(world, mode) == sorted(AFTER[mode], key=str)
    assert run(world.fences.publications(attempt.run_id)) == published


@pytest.mark.parametrize("mode", IN_PLACE)
def test_an_older_slot_is_published_where_rows_change_in_place(world: World, mode: str) -> None:
    world.published(FIRST, slot=MONDAY, **MODES[mode])
    row = world.published(SECOND, slot=MONDAY - DAY, **MODES[mode])
    assert row.slot == MONDAY - DAY
    assert rows_of(world) == sorted(AFTER[mode], key=str)


@pytest.mark.parametrize("first", MODES)
@pytest.mark.parametrize("second", MODES)
def test_a_report_keeps_its_mode(world: World, first: str, second: str) -> None:
    world.published(FIRST, **MODES[first])
    if first == second:
        return
    early = world.attempt()
    with pytest.raises(ReportMismatch, match=f"it is published in mode {first}, and not {second}") as caught:
        early.stage(SECOND, **MODES[second])
    assert "schema='recreate'" in str(caught.value)
    assert rows_of(world) == sorted(FIRST.rows(), key=str)


def test_a_mode_that_was_decided_while_the_run_was_on_its_way(world: World) -> None:
    one, other = world.attempt(), world.attempt()
    first, second = one.stage(FIRST, mode=Mode.APPEND), other.stage(FIRST)
    one.publish(first)
    with pytest.raises(ReportMismatch, match="published in mode append"):
        other.publish(second)


def test_rows_are_merged_by_one_key(world: World) -> None:
    world.published(FIRST, mode=Mode.MERGE, key=("k",))
    with pytest.raises(ReportMismatch, match="merged by k, and not by p, t"):
        world.attempt().stage(SECOND, mode=Mode.MERGE, key=("p", "t"))


def test_merging_by_several_columns(world: World) -> None:
    def how() -> dict[str, Any]:
        return {"mode": Mode.MERGE, "key": ("k", "p")}

    world.published(frame((1, "a", "x"), (1, "b", "y")), **how())
    row = world.published(frame((1, "b", "z"), (2, "a", "w")), **how())
    assert rows_of(world) == [(1, "a", "x"), (1, "b", "z"), (2, "a", "w")]
    assert (row.inserted, row.updated) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (frame((7, "a", "x"), (7, "a", "y"), (8, "b", "z")), "unique(k) failed for 1 row, for example: k=7"),
        (frame((None, "a", "x"), (8, "b", "z")), "not_null(k) failed for 1 row"),
    ],
)
def test_keys_that_cannot_be_merged_fail_a_check_that_names_them(world: World, rows: pl.DataFrame, words: str) -> None:
    staged = world.attempt().stage(rows, mode=Mode.MERGE, key=("k",))
    (failure,) = run(world.publisher.check((staged,)))
    assert words in str(failure)


def test_a_key_that_the_report_has_already_is_not_appended(world: World) -> None:
    world.published(FIRST, mode=Mode.APPEND, key=("k",))
    attempt = world.attempt()
    staged = attempt.stage(frame((3, "z", "again"), (9, "z", "new"), (1, "z", "again")), mode=Mode.APPEND, key=("k",))
    assert run(world.publisher.check((staged,))) == ()
    with pytest.raises(ChecksFailed) as caught:
        attempt.publish(staged)
    (failure,) = caught.value.failures
    assert str(failure) == (
        "report airports: check unique(k) failed: the report has rows of this key already for 2 rows, "
        "for example: k=1; k=3"
    )
    assert rows_of(world) == sorted(FIRST.rows(), key=str)
    assert run(world.fences.publications(attempt.run_id)) == ()


def test_without_a_key_the_same_rows_are_appended_twice(world: World) -> None:
    world.published(FIRST, mode=Mode.APPEND)
    world.published(FIRST, mode=Mode.APPEND)
    assert rows_of(world) == sorted([*FIRST.rows(), *FIRST.rows()], key=str)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_a_key_may_move_within_the_partitions_that_are_replaced_and_not_into_them(world: World) -> None:
    how: dict[str, Any] = {"mode": Mode.REPLACE_PARTITION, "partition_by": ("p",), "key": ("k",)}
    world.published(FIRST, **how)
    world.published(frame((1, "b", "moved"), (2, "a", "stays")), **how)
    assert rows_of(world) == [(1, "b", "moved"), (2, "a", "stays"), (4, None, "four")]
    attempt = world.attempt()
    with pytest.raises(ChecksFailed, match="k=4"):
        attempt.publish(attempt.stage(frame((4, "b", "is in no partition of ours")), **how))


def test_partitions_of_several_columns_with_nulls(world: World) -> None:
    how: dict[str, Any] = {"mode": Mode.REPLACE_PARTITION, "partition_by": ("p", "t")}
    world.published(frame((1, "a", None), (2, None, None), (3, None, "x"), (4, "a", "x"), (5, "a", None)), **how)
    row = world.published(frame((6, "a", None), (7, None, None)), **how)
    assert rows_of(world) == [(3, None, "x"), (4, "a", "x"), (6, "a", None), (7, None, None)]
    assert (row.inserted, row.deleted, row.total) == (2, 3, 4)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_partitions_may_be_named_by_other_columns_later(world: World) -> None:
    world.published(FIRST, mode=Mode.REPLACE_PARTITION, partition_by=("p",))
    world.published(frame((3, "z", "now")), mode=Mode.REPLACE_PARTITION, partition_by=("k",))
    assert rows_of(world) == [(1, "a", "one"), (2, "a", "two"), (3, "z", "now"), (4, None, "four")]


def test_a_partition_that_is_no_column_is_refused(world: World) -> None:
    with pytest.raises(ReportMismatch, match="the partition's column nobody is missing"):
        world.attempt().stage(FIRST, mode=Mode.REPLACE_PARTITION, partition_by=("nobody",))


@pytest.mark.parametrize("mode", IN_PLACE)
def test_names_that_need_quotes(world: World, mode: str) -> None:
    names = ['say "hi"', "per cent %s {} :x", "é" * 31, "^a.*$", "select", "line", "staged"]
    rows = pl.DataFrame({name: [1, 2] for name in names})
    named = tuple(names[:4])
    how = {"append": {"key": named}, "merge": {"key": named}, "replace_partition": {"partition_by": named}}[mode]
    report = "r" * 63
    world.published(rows, report, mode=Mode(mode), **how)
    world.published(rows.with_columns(pl.all() + (2 if mode == "append" else 0)), report, mode=Mode(mode), **how)
    assert len(world.read(report) or ()) == (4 if mode == "append" else 2)
    assert run(world.catalogue.verify(report)).differences == ()
    world.published((rows + 10).with_columns(pl.lit("%s").alias('"; --')), report, mode=Mode(mode), **how)
    assert run(world.catalogue.verify(report)).differences == ()
    fewer = rows.drop("staged")
    assert world.published(fewer, report, mode=Mode(mode), schema=SchemaRule.RECREATE, **how).generation == 2
    assert sorted(world.read(report) or ()) == fewer.rows()
