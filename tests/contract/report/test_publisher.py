"""What every adapter of the port Publisher promises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import msgspec
import polars as pl
import pytest

from kubescribe.domain.checks import Check, between, not_null, rows, sql, unique
from kubescribe.domain.errors import DatabaseUnavailable, Fenced, ReportMismatch, Superseded
from tests.support.publishing import SMALL, World, run, small

MONDAY = datetime(2013, 1, 7, tzinfo=UTC)
DAY = timedelta(days=1)


def test_nothing_is_visible_before_it_is_published(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    assert world.read("airports") is None
    assert run(world.catalogue.reports()) == ()
    attempt.publish(staged)
    assert sorted(world.read("airports") or (), key=str) == sorted(SMALL.rows(), key=str)


def test_a_publication_says_by_whom_and_what(world: World) -> None:
    attempt = world.attempt(slot=MONDAY)
    staged = attempt.stage()
    (row,) = attempt.publish(staged)
    assert (row.report, row.run_id, row.version, row.kind) == ("airports", attempt.run_id, staged.version, "publish")
    assert (row.attempt_id, row.fence, row.rows) == (attempt.attempt_id, attempt.fence, 3)
    assert (row.checksum, row.fingerprint) == (staged.checksum, staged.fingerprint)
    assert (row.slot, row.actor, row.reason) == (MONDAY, "tester", None)
    assert abs(datetime.now(UTC) - row.published_at) < timedelta(minutes=1)


def test_a_later_publication_replaces_all_rows(world: World) -> None:
    world.published(small(1))
    world.published(small(10))
    assert sorted(row[0] for row in world.read("airports") or ()) == [10, 11, 12]


def test_publishing_again_returns_what_was_published_and_changes_nothing(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    first = attempt.publish(staged)
    world.published(small(50))
    assert attempt.publish(staged) == first
    assert len(run(world.catalogue.ledger("airports"))) == 2
    assert min(row[0] for row in world.read("airports") or ()) == 50


def test_an_attempt_whose_run_is_published_learns_so_even_without_the_fence(world: World) -> None:
    old = world.attempt()
    staged = old.stage()
    new = world.attempt(old.run_id)
    published = new.publish(new.stage())
    assert old.publish(staged) == published


def test_a_run_without_reports_publishes_nothing(world: World) -> None:
    assert world.attempt().publish() == ()


def test_an_attempt_without_a_fence_publishes_nothing(world: World) -> None:
    attempt = msgspec.structs.replace(world.attempt().request, run_id=uuid4())
    with pytest.raises(Fenced):
        run(world.publisher.publish(attempt, (world.attempt().stage(),)))


def test_another_attempts_number_is_no_use(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    stolen = msgspec.structs.replace(attempt.request, attempt_id=uuid4())
    with pytest.raises(Fenced):
        run(world.publisher.publish(stolen, (staged,)))


def test_all_reports_of_a_run_or_none(world: World) -> None:
    world.published(small(1), "airports", slot=MONDAY + DAY)
    attempt = world.attempt(slot=MONDAY)
    staged = attempt.stage(report="a_new_one"), attempt.stage(small(5)), attempt.stage(report="z_new_one")
    with pytest.raises(Superseded) as caught:
        attempt.publish(*staged)
    assert (caught.value.report, caught.value.slot, caught.value.newer) == ("airports", MONDAY, MONDAY + DAY)
    assert world.read("a_new_one") is None
    assert world.read("z_new_one") is None
    assert [report.name for report in run(world.catalogue.reports())] == ["airports"]
    assert run(world.fences.publications(attempt.run_id)) == ()


@pytest.mark.parametrize("slot", [None, MONDAY, MONDAY + DAY])
def test_a_slot_as_new_as_the_shown_one_is_published(world: World, slot: datetime | None) -> None:
    world.published(small(1), slot=MONDAY)
    assert world.published(small(2), slot=slot)


def test_a_run_without_a_slot_does_not_open_the_way_for_an_older_one(world: World) -> None:
    world.published(slot=MONDAY)
    world.published(slot=None)
    with pytest.raises(Superseded):
        world.published(slot=MONDAY - DAY)


def test_two_runs_that_made_the_same_new_report_with_other_columns(world: World) -> None:
    one, other = world.attempt(), world.attempt()
    first, second = one.stage(), other.stage(SMALL.with_columns(pl.col("k").cast(pl.String)))
    one.publish(first)
    with pytest.raises(ReportMismatch, match="column k is text and not bigint"):
        other.publish(second)
    assert len(world.read("airports") or ()) == 3


def test_two_runs_that_made_the_same_new_report_alike(world: World) -> None:
    one, other = world.attempt(), world.attempt()
    first, second = one.stage(small(1)), other.stage(small(2))
    one.publish(first)
    other.publish(second)
    assert min(row[0] for row in world.read("airports") or ()) == 2


def test_the_key_may_change(world: World) -> None:
    world.published(key=("k",))
    assert world.published(key=())


def test_staged_is_what_this_attempt_staged_last(world: World) -> None:
    attempt, other = world.attempt(), world.attempt()
    attempt.stage(small(1))
    second = attempt.stage(small(2), key=("k",), checks=(rows(min=1), between("k", min=0)))
    other.stage(small(3))
    delays = attempt.stage(report="a_delays")
    found = run(world.publisher.staged(attempt.run_id, attempt.attempt_id))
    assert [item.spec.name for item in found] == ["a_delays", "airports"]
    assert [msgspec.structs.replace(item, seconds=0.0) for item in found] == [
        msgspec.structs.replace(item, seconds=0.0) for item in (delays, second)
    ]
    assert run(world.publisher.staged(uuid4(), attempt.attempt_id)) == ()


PEOPLE = pl.DataFrame(
    {
        "id": [1, 2, 2, None, 5],
        "name": ["ann", "bob", "bob", None, "eve"],
        "age": [1.5, None, 200.0, -3.0, float("nan")],
        "born": [date(2020, 1, 1), None, date(1999, 12, 31), date(2000, 1, 1), date(2001, 1, 1)],
    }
)


@pytest.mark.parametrize(
    ("check", "offenders", "sample"),
    [
        (unique("id"), 1, [{"id": "2"}]),
        (unique("id", "age"), None, None),
        (unique("name"), 1, [{"name": "bob"}]),
        (not_null("id"), 1, [{"id": None, "name": None, "age": "-3", "born": "2000-01-01"}]),
        (not_null("id", "age"), 2, None),
        (rows(min=5, max=5), None, None),
        (between("age"), None, None),
        (between("age", min=-3, max=float("nan")), None, None),
        (between("id", min=2), 1, None),
        (between("id", max=4.5), 1, None),
        (between("id", min=2, max=4), 2, None),
        (between("name", min="b"), 1, None),
        (between("born", min="2000-01-01"), 1, None),
        (between("born", min="2000-01-01T12:00:00"), 2, None),
        (between("born", min="1990-01-01", max="2019-12-31"), 1, None),
        (sql("none", "SELECT * FROM staged WHERE id > 5"), None, None),
        (sql("bobs", "SELECT name FROM staged WHERE name = 'bob';"), 2, [{"name": "bob"}, {"name": "bob"}]),
    ],
    ids=str,
)
def test_checks(world: World, check: Check, offenders: int | None, sample: list[dict[str, str | None]] | None) -> None:
    attempt = world.attempt()
    staged = attempt.stage(PEOPLE, checks=(check,))
    failures = run(world.publisher.check((staged,)))
    if offenders is None:
        assert failures == ()
        return
    (failure,) = failures
    assert (failure.report, failure.check, failure.offenders) == ("airports", str(check), offenders)
    assert len(failure.sample) == offenders
    if sample is not None:
        assert [{k: v and v.removesuffix(".0") for k, v in row.items()} for row in failure.sample] == sample


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (rows(min=6), "there are 5 rows"),
        (rows(max=4), "there are 5 rows"),
        (unique("nobody"), "there is no column nobody"),
        (not_null("id", "nobody"), "there is no column nobody"),
        (between("nobody", 1), "there is no column nobody"),
        (unique(), "it names no column"),
        (between("born", min="yesterday week"), ""),
        (sql("broken", "SELECT nobody FROM staged"), "nobody"),
        (sql("nonsense", "SELEC"), ""),
    ],
    ids=str,
)
def test_a_check_that_cannot_be_counted_says_why(world: World, check: Check, words: str) -> None:
    staged = world.attempt().stage(PEOPLE, checks=(check, rows(min=100)))
    failure, other = run(world.publisher.check((staged,)))
    assert failure.offenders is None
    assert failure.detail
    assert words in failure.detail
    assert other.check == "rows(min=100)"  # one check that errors does not spoil the others


def test_a_key_is_checked_without_being_asked_for(world: World) -> None:
    staged = world.attempt().stage(PEOPLE, key=("id",), checks=(unique("id"),))
    failures = run(world.publisher.check((staged,)))
    assert [failure.check for failure in failures] == ["unique(id)", "not_null(id)"]


def test_a_sample_is_short(world: World) -> None:
    staged = world.attempt().stage(pl.DataFrame({"k": [None] * 1000}, schema={"k": pl.Int64}), checks=(not_null("k"),))
    (failure,) = run(world.publisher.check((staged,)))
    assert failure.offenders == 1000
    assert len(failure.sample) == 5


def test_discarding_drops_what_is_not_published(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    run(world.publisher.discard(attempt.run_id, attempt.attempt_id))
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()
    with pytest.raises(Fenced, match="discarded"):
        attempt.publish(staged)
    run(world.publisher.discard(attempt.run_id))


def test_discarding_one_attempt_leaves_the_others(world: World) -> None:
    old = world.attempt()
    old.stage(small(1))
    new = world.attempt(old.run_id)
    staged = new.stage(small(2))
    run(world.publisher.discard(old.run_id, old.attempt_id))
    assert new.publish(staged)
    third = world.attempt()
    third.stage()
    run(world.publisher.discard(third.run_id))
    assert run(world.publisher.staged(third.run_id, third.attempt_id)) == ()


def test_discarding_never_takes_a_published_version(world: World) -> None:
    attempt = world.attempt()
    attempt.publish(attempt.stage())
    run(world.publisher.discard(attempt.run_id))
    assert len(world.read("airports") or ()) == 3
    report = run(world.catalogue.get("airports"))
    assert report.versions == (report.current.version,)


def test_retiring_keeps_the_newest(world: World) -> None:
    versions = [world.published(small(n)).version for n in range(1, 6)]
    assert run(world.publisher.retire("airports", 2)) == tuple(versions[:3])
    assert run(world.catalogue.get("airports")).versions == (versions[4], versions[3])
    assert run(world.publisher.retire("airports", 2)) == ()
    assert min(row[0] for row in world.read("airports") or ()) == 5
    assert run(world.publisher.retire("airports", 0)) == (versions[3],)  # the shown one stays whatever is asked
    assert len(run(world.catalogue.ledger("airports"))) == 5


def test_retiring_keeps_the_shown_version_however_old(world: World) -> None:
    versions = [world.published(small(n)).version for n in range(1, 5)]
    run(world.catalogue.roll_back("airports", to=versions[0], rollback_id=uuid4(), actor="me", reason=None))
    assert run(world.publisher.retire("airports", 2)) == (versions[1],)
    assert run(world.catalogue.get("airports")).versions == (versions[3], versions[2], versions[0])
    assert min(row[0] for row in world.read("airports") or ()) == 1


def test_retiring_leaves_what_others_have_staged(world: World) -> None:
    world.published(small(1))
    other = world.attempt()
    staged = other.stage(small(2))
    assert run(world.publisher.retire("airports", 1)) == ()
    assert other.publish(staged)


def test_retiring_a_report_that_is_not_there(world: World) -> None:
    assert run(world.publisher.retire("nobody", 3)) == ()


def test_a_database_that_is_away_says_so(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    away = world.away().publisher
    for call in (
        away.staged(attempt.run_id, attempt.attempt_id),
        away.check((staged,)),
        away.publish(attempt.request, (staged,)),
        away.discard(attempt.run_id),
        away.unpublished(),
        away.retire("airports", 1),
    ):
        with pytest.raises(DatabaseUnavailable):
            run(call)


def test_unpublished_names_the_runs_of_which_something_waits_or_was_left(world: World) -> None:
    published, waiting = world.attempt(), world.attempt()
    published.publish(published.stage())
    waiting.stage()
    assert run(world.publisher.unpublished()) == (waiting.run_id,)
    run(world.publisher.discard(waiting.run_id))
    assert run(world.publisher.unpublished()) == ()


def test_unpublished_names_a_run_once_however_much_it_has_left(world: World) -> None:
    assert run(world.publisher.unpublished()) == ()
    old = world.attempt()
    old.stage()
    old.stage(report="delays")
    new = world.attempt(old.run_id)
    new.stage()
    other = world.attempt()
    other.stage()
    left = run(world.publisher.unpublished())
    assert sorted(left) == sorted([old.run_id, other.run_id])


def test_unpublished_names_a_run_that_has_published_and_left_something_nevertheless(world: World) -> None:
    old = world.attempt()
    old.stage()
    new = world.attempt(old.run_id)
    new.publish(new.stage())
    world.published(small(10))
    run(world.publisher.retire("airports", 1))  # a version that was published is retired, and not left behind
    assert run(world.publisher.unpublished()) == (old.run_id,)
    run(world.publisher.discard(old.run_id))
    assert run(world.publisher.unpublished()) == ()
