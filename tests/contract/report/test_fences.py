"""What every adapter of the port Fences promises."""

from __future__ import annotations

from uuid import uuid4

import pytest

from kubescribe.domain.errors import DatabaseUnavailable, Fenced, RunClosed
from tests.support.publishing import World, run


def test_each_attempt_takes_a_greater_number(world: World) -> None:
    run_id = uuid4()
    numbers = [run(world.fences.take(run_id, uuid4())) for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_taking_again_after_a_lost_answer_gives_a_number_that_is_valid(world: World) -> None:
    first = world.attempt()
    again = run(world.fences.take(first.run_id, first.attempt_id))
    assert again >= first.fence
    request = first.request.__class__(run_id=first.run_id, attempt_id=first.attempt_id, fence=again, actor="tester")
    assert run(world.publisher.publish(request, (first.stage(),)))


def test_taking_invalidates_the_earlier_attempt(world: World) -> None:
    old = world.attempt()
    staged = old.stage()
    new = world.attempt(old.run_id)
    with pytest.raises(Fenced, match="a newer attempt holds the fence"):
        old.publish(staged)
    assert new.publish(new.stage())


@pytest.mark.parametrize("known", [True, False])
def test_raising_stops_the_attempt_and_leaves_the_run_open(world: World, known: bool) -> None:
    old = world.attempt()
    staged = old.stage()
    run(world.fences.raise_(old.run_id, old.attempt_id, old.fence if known else None))
    with pytest.raises(Fenced):
        old.publish(staged)
    assert world.read("airports") is None
    new = world.attempt(old.run_id)
    assert new.fence > old.fence
    assert new.publish(new.stage())


def test_raising_stops_older_attempts_too(world: World) -> None:
    old = world.attempt()
    staged = old.stage()
    run(world.fences.raise_(old.run_id, uuid4(), old.fence + 1))
    with pytest.raises(Fenced):
        old.publish(staged)


@pytest.mark.parametrize("known", [True, False])
def test_giving_up_an_attempt_leaves_its_successor_alone(world: World, known: bool) -> None:
    old = world.attempt()
    staged = old.stage()
    new = world.attempt(old.run_id)
    run(world.fences.raise_(old.run_id, old.attempt_id, old.fence if known else None))
    with pytest.raises(Fenced):
        old.publish(staged)
    assert new.publish(new.stage())


def test_raising_a_run_that_never_took_its_fence_is_harmless(world: World) -> None:
    run_id, attempt_id = uuid4(), uuid4()
    for fence in (None, 3):
        run(world.fences.raise_(run_id, attempt_id, fence))
    assert run(world.fences.take(run_id, attempt_id))


def test_raising_twice_is_harmless(world: World) -> None:
    old = world.attempt()
    for _ in range(2):
        run(world.fences.raise_(old.run_id, old.attempt_id, old.fence))
    new = world.attempt(old.run_id)
    run(world.fences.raise_(old.run_id, old.attempt_id, old.fence))
    assert new.publish(new.stage())


def test_a_closed_run_takes_no_fence_and_publishes_nothing(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    run(world.fences.close(attempt.run_id, "cancelled"))
    with pytest.raises(RunClosed, match="is cancelled"):
        world.attempt(attempt.run_id)
    with pytest.raises(Fenced, match="closed as cancelled"):
        attempt.publish(staged)


def test_a_run_can_be_closed_before_it_ever_started(world: World) -> None:
    run_id = uuid4()
    run(world.fences.close(run_id, "failed"))
    with pytest.raises(RunClosed):
        run(world.fences.take(run_id, uuid4()))


def test_the_first_closing_stays(world: World) -> None:
    run_id = uuid4()
    run(world.fences.close(run_id, "cancelled"))
    run(world.fences.close(run_id, "failed"))
    run(world.fences.raise_(run_id, uuid4(), 10**9))
    with pytest.raises(RunClosed, match="is cancelled"):
        run(world.fences.take(run_id, uuid4()))


def test_runs_do_not_fence_each_other(world: World) -> None:
    one, other = world.attempt(), world.attempt()
    run(world.fences.close(other.run_id, "failed"))
    assert one.publish(one.stage())


def test_the_ledger_knows_what_a_run_published(world: World) -> None:
    attempt = world.attempt()
    assert run(world.fences.publications(attempt.run_id)) == ()
    published = attempt.publish(attempt.stage(report="delays"), attempt.stage(report="airports"))
    assert [row.report for row in published] == ["airports", "delays"]
    run(world.fences.close(attempt.run_id, "failed"))
    assert run(world.fences.publications(attempt.run_id)) == published


def test_a_rollback_is_no_publication_of_a_run(world: World) -> None:
    world.published()
    world.published()
    rollback = uuid4()
    run(world.catalogue.roll_back("airports", to=None, rollback_id=rollback, actor="me", reason=None))
    assert run(world.fences.publications(rollback)) == ()


def test_a_database_that_is_away_says_so(world: World) -> None:
    fences = world.away().fences
    for call in (fences.take(uuid4(), uuid4()), fences.raise_(uuid4(), uuid4()), fences.close(uuid4(), "failed")):
        with pytest.raises(DatabaseUnavailable, match="the report database does not answer"):
            run(call)
    with pytest.raises(DatabaseUnavailable):
        run(fences.publications(uuid4()))
