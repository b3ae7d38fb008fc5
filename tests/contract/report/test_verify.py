"""What every adapter of the port ReportCatalogue promises of verifying."""

from __future__ import annotations

from uuid import uuid4

import polars as pl
import pytest

from kubescribe.domain.errors import DatabaseUnavailable, ReportNotFound
from kubescribe.domain.mode import Mode
from tests.contract.report.test_modes import AFTER, FIRST, SECOND
from tests.support.modes import IN_PLACE, MODES
from tests.support.publishing import World, run


@pytest.mark.parametrize("mode", MODES)
def test_what_was_published_verifies(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    row = world.published(SECOND, **MODES[mode])
    found = run(world.catalogue.verify("airports"))
    assert found.publication == row
    assert found.rows == found.expected_rows == len(AFTER[mode])
    assert found.checksum == found.expected_checksum
    assert found.checksum.startswith("sha256:" if mode == "replace" else "rowsum:")
    assert found.version == found.expected_version


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("edit", ["the checksum is"]),
        ("add", ["there are", "the checksum is"]),
        ("lose", ["there are", "the checksum is"]),
    ],
)
def test_what_was_changed_behind_the_ledgers_back_is_found(world: World, mode: str, how: str, words: list[str]) -> None:
    world.published(FIRST, **MODES[mode])
    world.published(SECOND, **MODES[mode])
    world.tamper("airports", how)
    differences = run(world.catalogue.verify("airports")).differences
    assert len(differences) == len(words)
    assert all(difference.startswith(word) for difference, word in zip(differences, words, strict=True))


@pytest.mark.parametrize("mode", MODES)
def test_the_order_of_rows_counts_where_the_version_is_one_runs(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    world.tamper("airports", "swap")
    assert bool(run(world.catalogue.verify("airports")).differences) is (mode == "replace")


@pytest.mark.parametrize("mode", IN_PLACE)
def test_a_column_that_came_later_changes_no_checksum_of_the_rows_before(world: World, mode: str) -> None:
    before = world.published(FIRST, **MODES[mode])
    row = world.published(FIRST.clear().with_columns(x=pl.lit(1)), **MODES[mode])
    assert row.content == before.content
    assert run(world.catalogue.verify("airports")).differences == ()


def test_a_version_that_was_rolled_back_to_verifies(world: World) -> None:
    first = world.published(FIRST)
    world.published(SECOND.with_columns(x=pl.lit(1)))
    run(world.catalogue.roll_back("airports", to=first.version, rollback_id=uuid4(), actor="eve", reason=None))
    found = run(world.catalogue.verify("airports"))
    assert (found.version, found.rows, found.differences) == (first.version, 4, ())
    assert found.publication.kind == "rollback"


def test_appended_rows_that_were_taken_out_again(world: World) -> None:
    for rows in (FIRST, SECOND, SECOND):
        world.published(rows, mode=Mode.APPEND)
    run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    found = run(world.catalogue.verify("airports"))
    assert (found.rows, found.differences) == (6, ())
    world.published(SECOND, mode=Mode.APPEND)
    assert run(world.catalogue.verify("airports")).differences == ()


def test_an_unknown_report_and_a_database_that_is_away(world: World) -> None:
    with pytest.raises(ReportNotFound):
        run(world.catalogue.verify("nobody"))
    with pytest.raises(DatabaseUnavailable):
        run(world.away().catalogue.verify("airports"))
