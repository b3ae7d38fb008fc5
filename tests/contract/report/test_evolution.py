"""What every adapter promises where the rows' columns are not the report's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from kubescribe.domain.errors import ReportMismatch, VersionNotKept
from kubescribe.domain.mode import Mode, SchemaRule
from kubescribe.domain.report import Column
from tests.contract.report.test_modes import AFTER, FIRST, SECOND
from tests.support.modes import IN_PLACE, MODES
from tests.support.publishing import World, run, small

WIDER = SECOND.with_columns(x=pl.lit(1.5), y=pl.lit("!"))
RECREATE: dict[str, Any] = {"schema": SchemaRule.RECREATE}


@pytest.mark.parametrize("mode", MODES)
def test_further_columns_at_the_end_are_added_and_null_before(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    row = world.published(WIDER, **MODES[mode])
    new = set(SECOND.rows())
    expected = [(*one, 1.5, "!") if one in new else (*one, None, None) for one in AFTER[mode]]
    assert sorted(world.read("airports") or (), key=str) == sorted(expected, key=str)
    report = run(world.catalogue.get("airports"))
    assert report.columns[3:] == (Column("x", "double precision"), Column("y", "text"))
    assert (row.generation, row.fingerprint) == (1, run(world.catalogue.ledger("airports"))[0].fingerprint)
    assert run(world.catalogue.verify("airports")).differences == ()
    assert world.published(WIDER, **MODES[mode])
    with pytest.raises(ReportMismatch, match="column x is missing; column y is missing"):
        world.attempt().stage(SECOND, **MODES[mode])


@pytest.mark.parametrize("mode", MODES)
def test_columns_are_shown_when_the_rows_are_and_not_before(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    attempt = world.attempt()
    staged = attempt.stage(WIDER, **MODES[mode])
    run(world.fences.close(attempt.run_id, "cancelled"))
    with pytest.raises(Exception, match="closed as cancelled"):
        attempt.publish(staged)
    assert sorted(world.read("airports") or (), key=str) == sorted(FIRST.rows(), key=str)
    assert len(run(world.catalogue.get("airports")).columns) == 3
    other = SECOND.with_columns(x=pl.lit("another type"))
    world.published(other, **MODES[mode])  # what the cancelled run left is in nobody's way
    assert run(world.catalogue.get("airports")).columns[3:] == (Column("x", "text"),)


@pytest.mark.parametrize("mode", MODES)
def test_two_runs_that_add_columns(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    one, same, other = world.attempt(), world.attempt(), world.attempt()
    rows = one.stage(WIDER, **MODES[mode]), same.stage(WIDER, **MODES[mode])
    differing = other.stage(SECOND.with_columns(z=pl.lit(1)), **MODES[mode])
    one.publish(rows[0])
    same.publish(rows[1])
    with pytest.raises(ReportMismatch, match="column x is missing; column y is missing; column z is additional"):
        other.publish(differing)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_a_version_from_before_a_column_can_be_shown_again(world: World) -> None:
    first = world.published(FIRST)
    world.published(WIDER)
    run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    assert sorted(world.read("airports") or (), key=str) == sorted([(*r, None, None) for r in FIRST.rows()], key=str)
    assert run(world.catalogue.verify("airports")).version == first.version


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.all().exclude("t"), "column t is missing"),
        (pl.all().cast(pl.String), "column k is text and not bigint"),
        (pl.col("p", "t", "k"), "the columns come as p, t, k and not as k, p, t"),
    ],
    ids=["dropped", "retyped", "reordered"],
)
def test_other_differences_are_refused_unless_the_report_may_be_made_anew(
    world: World, mode: str, change: pl.Expr, words: str
) -> None:
    world.published(FIRST, **MODES[mode])
    changed = SECOND.select(change)
    with pytest.raises(ReportMismatch, match=words):
        world.attempt().stage(changed, **MODES[mode])
    row = world.published(changed, **MODES[mode], **RECREATE)
    assert row.generation == 2
    assert sorted(world.read("airports") or (), key=str) == sorted(changed.rows(), key=str)
    assert [column.name for column in run(world.catalogue.get("airports")).columns] == changed.columns
    assert run(world.catalogue.verify("airports")).differences == ()
    again = world.published(changed, **MODES[mode], **RECREATE)
    assert again.generation == 2  # it fits by now, so nothing is made anew
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("first", MODES)
@pytest.mark.parametrize("second", MODES)
def test_another_mode_makes_the_report_anew(world: World, first: str, second: str) -> None:
    world.published(FIRST, **MODES[first])
    row = world.published(SECOND, **MODES[second], **RECREATE)
    assert row.generation == (1 if first == second else 2)
    assert sorted(world.read("airports") or (), key=str) == sorted(
        AFTER[first] if first == second else SECOND.rows(), key=str
    )
    report = run(world.catalogue.get("airports"))
    assert (report.mode, report.current) == (second, row)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_another_key_to_merge_by_makes_the_report_anew(world: World) -> None:
    world.published(FIRST, mode=Mode.MERGE, key=("k",))
    assert world.published(SECOND, mode=Mode.MERGE, key=("k", "t"), **RECREATE).generation == 2


def test_there_is_no_way_back_into_an_earlier_generation(world: World) -> None:
    old = world.published(FIRST)
    new = world.published(small(1), **RECREATE)
    assert run(world.catalogue.get("airports")).versions == (new.version,)
    for to in (None, old.version):
        with pytest.raises(VersionNotKept) as caught:
            run(world.catalogue.roll_back("airports", to=to, rollback_id=uuid4(), actor="eve", reason=None))
        assert caught.value.kept == (new.version,)
    assert run(world.publisher.retire("airports", 5)) == (old.version,)
    assert [row.generation for row in run(world.catalogue.ledger("airports"))] == [2, 1]
    third = world.published(FIRST, **RECREATE)
    assert third.generation == 3
    assert run(world.publisher.retire("airports", 5)) == (new.version,)
    assert sorted(world.read("airports") or (), key=str) == sorted(FIRST.rows(), key=str)


def test_rows_for_the_report_as_it_was_before_it_was_made_anew(world: World) -> None:
    world.published(FIRST)
    late, remaker = world.attempt(), world.attempt()
    rows = late.stage(SECOND)
    remaker.publish(remaker.stage(small(1), **RECREATE))
    with pytest.raises(ReportMismatch, match=r"column p is missing|column p is additional"):
        late.publish(rows)
    assert len(world.read("airports") or ()) == 3


def test_all_or_none_when_one_of_the_reports_is_made_anew(world: World) -> None:
    slot = datetime(2026, 1, 1, tzinfo=UTC)
    world.published(FIRST, "a")
    world.published(FIRST, "z", slot=slot)
    attempt = world.attempt(slot=slot - timedelta(days=1))
    staged = attempt.stage(small(1), "a", **RECREATE), attempt.stage(SECOND, "z")
    with pytest.raises(Exception, match="newer"):
        attempt.publish(*staged)
    assert sorted(world.read("a") or (), key=str) == sorted(FIRST.rows(), key=str)
    assert run(world.catalogue.get("a")).current.generation == 1


@pytest.mark.parametrize("mode", IN_PLACE)
def test_what_a_new_column_holds_is_part_of_the_checksum(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    sums = {world.published(WIDER.with_columns(x=x), **MODES[mode]).content for x in (pl.lit(1.0), pl.lit(2.0))}
    assert len(sums) == 2
