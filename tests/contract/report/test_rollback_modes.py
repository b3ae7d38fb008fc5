"""What a rollback means in the modes that change rows in place."""

from __future__ import annotations

from uuid import UUID, uuid4

import polars as pl
import pytest

from kubescribe.domain.errors import RollbackRefused, VersionNotKept
from kubescribe.domain.mode import Mode
from kubescribe.domain.report import Publication
from tests.contract.report.test_modes import AFTER, FIRST, SECOND
from tests.support.modes import MODES
from tests.support.publishing import World, run, small


def back(world: World, to: int | None = None, rollback_id: UUID | None = None) -> Publication:
    return run(
        world.catalogue.roll_back("airports", to=to, rollback_id=rollback_id or uuid4(), actor="eve", reason="wrong")
    )


def keys(world: World) -> list[int]:
    return sorted(row[0] for row in world.read("airports") or ())


def appended(world: World, *firsts: int) -> list[Publication]:
    return [world.published(small(first), mode=Mode.APPEND) for first in firsts]


def test_the_newest_appended_rows_go(world: World) -> None:
    first, second, third = appended(world, 1, 11, 21)
    row = back(world)
    assert keys(world) == [1, 2, 3, 11, 12, 13]
    assert (row.kind, row.version, row.actor, row.reason) == ("rollback", second.version, "eve", "wrong")
    assert (row.inserted, row.updated, row.deleted, row.total) == (0, 0, 3, 6)
    assert (row.content, row.mode) == (second.content, Mode.APPEND)
    report = run(world.catalogue.get("airports"))
    assert (report.current, report.versions) == (row, (second.version, first.version))
    assert [one.version for one in run(world.catalogue.ledger("airports"))][:2] == [second.version, third.version]
    back(world)
    assert keys(world) == [1, 2, 3]


def test_it_goes_back_to_what_a_publication_left(world: World) -> None:
    first, *_ = appended(world, 1, 11, 21, 31)
    row = back(world, to=first.version)
    assert keys(world) == [1, 2, 3]
    assert (row.deleted, row.total) == (9, 3)
    later = world.published(small(41), mode=Mode.APPEND)
    assert keys(world) == [1, 2, 3, 41, 42, 43]
    assert run(world.catalogue.get("airports")).versions == (later.version, first.version)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_rows_that_were_taken_out_do_not_come_back(world: World) -> None:
    first, second, third = appended(world, 1, 11, 21)
    back(world, to=first.version)
    for gone in (second.version, third.version, 10_000):
        with pytest.raises(VersionNotKept) as caught:
            back(world, to=gone)
        assert caught.value.kept == (first.version,)
    with pytest.raises(VersionNotKept):
        back(world)  # the first publication made the report
    assert keys(world) == [1, 2, 3]


def test_back_to_what_is_shown_changes_nothing(world: World) -> None:
    *_, last = appended(world, 1, 11)
    row = back(world, to=last.version)
    assert (row.deleted, row.total) == (0, 6)
    assert keys(world) == [1, 2, 3, 11, 12, 13]


def test_it_is_safe_to_repeat(world: World) -> None:
    appended(world, 1, 11, 21)
    rollback = uuid4()
    assert back(world, rollback_id=rollback) == back(world, rollback_id=rollback)
    assert keys(world) == [1, 2, 3, 11, 12, 13]
    assert len(run(world.catalogue.ledger("airports"))) == 4


def test_a_key_may_be_appended_again_after_its_rows_went(world: World) -> None:
    for first in (1, 11):
        world.published(small(first), mode=Mode.APPEND, key=("k",))
    back(world)
    world.published(small(11), mode=Mode.APPEND, key=("k",))
    assert keys(world) == [1, 2, 3, 11, 12, 13]


def test_appended_rows_with_a_further_column_go_and_the_column_stays(world: World) -> None:
    appended(world, 1)
    world.published(small(11).with_columns(x=pl.lit(1)), mode=Mode.APPEND)
    back(world)
    assert sorted(world.read("airports") or (), key=str) == [(1, "a", None), (2, "b", None), (3, None, None)]
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", ["merge", "replace_partition"])
def test_where_rows_were_overwritten_it_is_refused_with_what_to_do(world: World, mode: str) -> None:
    first = world.published(FIRST, **MODES[mode])
    second = world.published(SECOND, **MODES[mode])
    for to in (None, first.version, second.version):
        with pytest.raises(RollbackRefused, match=f"mode {mode}, which overwrites rows in place") as caught:
            back(world, to=to)
        assert "Run the pipeline again with the right data" in str(caught.value)
    assert sorted(world.read("airports") or (), key=str) == sorted(AFTER[mode], key=str)
    assert run(world.catalogue.get("airports")).versions == (second.version,)
