"""What every adapter of the port ReportCatalogue promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import polars as pl
import pytest

from kubescribe.domain.errors import DatabaseUnavailable, ReportNotFound, Superseded, VersionNotKept
from kubescribe.domain.mode import Mode
from kubescribe.domain.report import Column
from tests.support.publishing import World, run, small

MONDAY = datetime(2013, 1, 7, tzinfo=UTC)


def test_a_report_as_readers_see_it(world: World) -> None:
    first, second = world.published(small(1)), world.published(small(2))
    report = run(world.catalogue.get("airports"))
    assert (report.name, report.relation) == ("airports", "reports.airports")
    assert report.columns == (Column("k", "bigint"), Column("t", "text"))
    assert report.current == second
    assert report.versions == (second.version, first.version)


def test_reports_come_by_name(world: World) -> None:
    for name in ("b", "a_b", "ab", "a"):
        world.published(report=name)
    assert [report.name for report in run(world.catalogue.reports())] == ["a", "a_b", "ab", "b"]


def test_an_unknown_report_names_the_nearest(world: World) -> None:
    world.published(report="airport_delays")
    for call in (
        world.catalogue.get("airport_delay"),
        world.catalogue.ledger("airport_delay"),
        world.catalogue.head("airport_delay"),
        world.catalogue.roll_back("airport_delay", to=None, rollback_id=uuid4(), actor="me", reason=None),
    ):
        with pytest.raises(ReportNotFound) as caught:
            run(call)
        assert caught.value.nearest == ("airport_delays",)


def test_a_report_that_was_only_staged_is_none(world: World) -> None:
    world.attempt().stage()
    with pytest.raises(ReportNotFound):
        run(world.catalogue.get("airports"))


def test_the_ledger_has_the_newest_first(world: World) -> None:
    published = [world.published() for _ in range(4)]
    world.published(report="other")
    assert run(world.catalogue.ledger("airports")) == tuple(reversed(published))
    assert run(world.catalogue.ledger("airports", limit=2)) == (published[3], published[2])


def test_the_head_is_ordered_by_the_key(world: World) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["z", "y", "x"]})
    world.published(frame, key=("b",))
    assert run(world.catalogue.head("airports", limit=2)) == ({"a": 3, "b": "x"}, {"a": 2, "b": "y"})


def test_the_head_without_a_key_is_ordered_by_the_columns(world: World) -> None:
    world.published(pl.DataFrame({"a": [2, None, 1, 1], "b": ["q", "r", "t", "s"]}))
    assert [row["b"] for row in run(world.catalogue.head("airports"))] == ["s", "t", "q", "r"]


def test_a_rollback_shows_the_version_before(world: World) -> None:
    first, second, third = (world.published(small(n), slot=MONDAY + timedelta(days=n)) for n in (1, 2, 3))
    rollback = uuid4()
    row = run(world.catalogue.roll_back("airports", to=None, rollback_id=rollback, actor="eve", reason="wrong"))
    assert (row.kind, row.run_id, row.version, row.actor, row.reason) == (
        "rollback",
        rollback,
        second.version,
        "eve",
        "wrong",
    )
    assert (row.rows, row.checksum, row.fingerprint, row.slot) == (3, second.checksum, second.fingerprint, second.slot)
    assert (row.attempt_id, row.fence) == (None, None)
    assert min(line[0] for line in world.read("airports") or ()) == 2
    report = run(world.catalogue.get("airports"))
    assert report.current == row
    assert report.versions == (third.version, second.version, first.version)
    again = run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    assert again.version == first.version


def test_a_rollback_is_safe_to_repeat(world: World) -> None:
    for n in (1, 2, 3):
        world.published(small(n))
    rollback = uuid4()
    first = run(world.catalogue.roll_back("airports", to=None, rollback_id=rollback, actor="eve", reason=None))
    second = run(world.catalogue.roll_back("airports", to=None, rollback_id=rollback, actor="eve", reason=None))
    assert first == second
    assert len(run(world.catalogue.ledger("airports"))) == 4
    assert min(line[0] for line in world.read("airports") or ()) == 2


def test_a_rollback_goes_to_any_kept_version_and_forward_again(world: World) -> None:
    first, second = world.published(small(1)), world.published(small(2))
    for version, least in ((first.version, 1), (second.version, 2)):
        run(world.catalogue.roll_back("airports", to=version, rollback_id=uuid4(), actor="eve", reason=None))
        assert min(line[0] for line in world.read("airports") or ()) == least


def test_a_rollback_to_what_is_shown_changes_nothing(world: World) -> None:
    first, second = world.published(small(1)), world.published(small(2))
    row = run(world.catalogue.roll_back("airports", to=second.version, rollback_id=uuid4(), actor="eve", reason=None))
    assert row == second
    back = run(world.catalogue.roll_back("airports", to=first.version, rollback_id=uuid4(), actor="eve", reason=None))
    again = run(world.catalogue.roll_back("airports", to=first.version, rollback_id=uuid4(), actor="eve", reason=None))
    assert again == back
    assert len(run(world.catalogue.ledger("airports"))) == 3


def test_an_append_that_is_shown_already_keeps_its_rows(world: World) -> None:
    world.published(small(1), mode=Mode.APPEND)
    second = world.published(small(11), mode=Mode.APPEND)
    row = run(world.catalogue.roll_back("airports", to=second.version, rollback_id=uuid4(), actor="eve", reason=None))
    assert row == second
    assert len(world.read("airports") or ()) == 6


def test_rollbacks_say_what_was_shown_before(world: World) -> None:
    first, second = world.published(small(1)), world.published(small(2))
    world.published(small(5), report="other")
    world.published(small(6), report="other")
    assert run(world.catalogue.rollbacks()) == ()
    rolled = [
        run(world.catalogue.roll_back(report, to=to, rollback_id=uuid4(), actor="eve", reason="r"))
        for report, to in (("airports", first.version), ("other", None), ("airports", second.version))
    ]
    found = run(world.catalogue.rollbacks())
    assert [one.after for one in found] == rolled
    assert (found[0].before, found[2].before) == (second, rolled[0])
    assert run(world.catalogue.rollbacks(rollback_id=rolled[1].run_id)) == (found[1],)
    assert run(world.catalogue.rollbacks(within=timedelta(0))) == ()
    assert run(world.catalogue.rollbacks(rollback_id=uuid4())) == ()


def test_a_rollback_of_no_report_at_all(world: World) -> None:
    world.published()
    for name in ("airports\0", "\ud800", "a b"):
        with pytest.raises(ReportNotFound):
            run(world.catalogue.roll_back(name, to=None, rollback_id=uuid4(), actor="eve", reason=None))


def test_after_a_rollback_a_slot_between_may_be_published(world: World) -> None:
    world.published(small(1), slot=MONDAY)
    world.published(small(2), slot=MONDAY + timedelta(days=2))
    run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    assert world.published(small(3), slot=MONDAY + timedelta(days=1))


def test_a_rollback_to_a_version_without_a_slot_still_keeps_older_slots_out(world: World) -> None:
    def day(number: int) -> datetime:
        return MONDAY + timedelta(days=number)

    world.published(small(1), slot=day(10))
    manual = world.published(small(2))
    world.published(small(3), slot=day(11))
    run(world.catalogue.roll_back("airports", to=manual.version, rollback_id=uuid4(), actor="eve", reason=None))
    with pytest.raises(Superseded) as caught:
        world.published(small(4), slot=day(9))
    assert caught.value.newer == day(10)
    assert world.published(small(5), slot=day(10))


def test_a_rollback_takes_the_slot_back_to_what_it_was_and_not_to_one_that_was_rolled_back(world: World) -> None:
    def day(number: int) -> datetime:
        return MONDAY + timedelta(days=number)

    world.published(small(1), slot=day(10))
    world.published(small(2), slot=day(20))
    run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    manual = world.published(small(3))
    world.published(small(4), slot=day(12))
    run(world.catalogue.roll_back("airports", to=manual.version, rollback_id=uuid4(), actor="eve", reason=None))
    with pytest.raises(Superseded):
        world.published(small(5), slot=day(9))
    assert world.published(small(6), slot=day(11))


def test_versions_that_are_not_kept(world: World) -> None:
    only = world.published()
    with pytest.raises(VersionNotKept) as caught:
        run(world.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    assert (caught.value.version, caught.value.kept) == (None, (only.version,))
    staged = world.attempt().stage()
    for version in (staged.version, 10_000):
        with pytest.raises(VersionNotKept):
            run(world.catalogue.roll_back("airports", to=version, rollback_id=uuid4(), actor="eve", reason=None))
    new = world.published()
    run(world.publisher.retire("airports", 1))
    with pytest.raises(VersionNotKept) as caught:
        run(world.catalogue.roll_back("airports", to=only.version, rollback_id=uuid4(), actor="eve", reason=None))
    assert caught.value.kept == (new.version,)


def test_a_database_that_is_away_says_so(world: World) -> None:
    away = world.away().catalogue
    for call in (
        away.reports(),
        away.get("airports"),
        away.ledger("airports"),
        away.head("airports"),
        away.rollbacks(),
        away.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None),
    ):
        with pytest.raises(DatabaseUnavailable):
            run(call)
