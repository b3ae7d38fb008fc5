"""The connection goes at every step; the ledger and the pointer always agree."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from kubescribe.domain.errors import CommitUnknown, DatabaseUnavailable, Fenced
from tests.support.proxy import Proxy
from tests.support.publishing import World, apart, run, small
from tests.support.report_database import ReportServer
from tests.support.steps import PUBLISH, STAGE, at

pytestmark = pytest.mark.integration


@pytest.fixture(params=["first", "later"])
def before(request: pytest.FixtureRequest, world: World) -> int:
    """How many publications there were before: the first one of a report also makes it."""
    if request.param == "first":
        return 0
    world.published(small(1))
    return 1


def expect(world: World, publications: int, first: int | None) -> None:
    rows = world.read("airports")
    assert (min(row[0] for row in rows) if rows else None) == first
    if first is not None:
        assert len(rows or ()) == 3
        assert len(run(world.catalogue.ledger("airports"))) == publications
        assert run(world.catalogue.get("airports")).current.kind == "publish"


@pytest.mark.parametrize("deliver", [False, True], ids=["lost COMMIT", "lost answer"])
def test_a_cut_at_commit_is_settled_by_the_ledger(
    world: World, through: World, proxy: Proxy, before: int, deliver: bool
) -> None:
    attempt = through.attempt()
    staged = attempt.stage(small(2))
    cut = proxy.cut(b"COMMIT\0", deliver=deliver)
    (row,) = attempt.publish(staged)
    assert cut.done == 1
    assert row.version == staged.version
    expect(world, before + 1, 2)


def test_the_run_is_closed_after_the_commit_whose_answer_was_lost(
    world: World, through: World, proxy: Proxy, before: int
) -> None:
    attempt = through.attempt()
    staged = attempt.stage(small(2))
    proxy.cut(b"COMMIT\0", deliver=True, then=lambda: run(world.fences.close(attempt.run_id, "cancelled")))
    assert attempt.publish(staged) == run(world.fences.publications(attempt.run_id))
    expect(world, before + 1, 2)


def test_the_run_is_closed_after_the_commit_that_never_arrived(
    world: World, through: World, proxy: Proxy, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = through.attempt()
    staged = attempt.stage(small(2))
    proxy.cut(b"COMMIT\0", deliver=False)
    at(monkeypatch, "publish.attached", lambda: apart(world.fences.close(attempt.run_id, "cancelled")), time=2)
    with pytest.raises(Fenced, match="closed as cancelled"):
        attempt.publish(staged)
    expect(world, before, 1 if before else None)


def test_a_database_that_stays_away_leaves_the_outcome_unknown(
    world: World, through: World, proxy: Proxy, before: int
) -> None:
    attempt = through.attempt()
    staged = attempt.stage(small(2))

    def away() -> None:
        proxy.refusing = True

    proxy.cut(b"COMMIT\0", deliver=True, then=away)
    with pytest.raises(CommitUnknown, match=r"Whether run .* was published is not known yet") as caught:
        attempt.publish(staged)
    assert caught.value.run_id == attempt.run_id
    expect(world, before + 1, 2)  # visible, and in the ledger, by the one commit
    proxy.refusing = False
    assert attempt.publish(staged)
    expect(world, before + 1, 2)


@pytest.mark.parametrize("step", PUBLISH)
def test_a_cut_at_every_step_of_publishing(
    world: World, through: World, proxy: Proxy, before: int, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    attempt = through.attempt()
    staged = attempt.stage(small(2))
    reached = at(monkeypatch, step, proxy.drop)
    if step == "publish.pointed":  # COMMIT goes into a dead connection: the ledger is asked
        attempt.publish(staged)
    elif step == "publish.committed":
        assert attempt.publish(staged)
    else:
        with pytest.raises(DatabaseUnavailable):
            attempt.publish(staged)
        expect(world, before, 1 if before else None)
    assert step in reached
    attempt.publish(staged)
    expect(world, before + 1, 2)


@pytest.mark.parametrize("step", STAGE)
def test_a_cut_at_every_step_of_staging_leaves_nothing_behind(
    world: World,
    through: World,
    proxy: Proxy,
    server: ReportServer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    attempt = through.attempt()
    at(monkeypatch, step, proxy.drop)
    with pytest.raises(DatabaseUnavailable):
        attempt.stage(key=("k",))
    server.expect_no_connections()
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()
    with server.admin() as admin:
        assert (
            admin.execute("SELECT relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace").fetchall() == []
        )
    assert attempt.publish(attempt.stage())


@pytest.mark.parametrize("step", ["stage.recorded", "publish.attached", "publish.fence_checked", "publish.pointed"])
def test_a_crash_of_the_server(
    world: World, server: ReportServer, before: int, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def crash() -> None:
        server.cluster.crash()
        server.cluster.start()

    attempt = world.attempt()
    at(monkeypatch, step, crash)
    try:
        attempt.publish(attempt.stage(small(2)))
    except DatabaseUnavailable:
        expect(world, before, 1 if before else None)
        attempt.publish(attempt.stage(small(2)))
    expect(world, before + 1, 2)


@pytest.mark.parametrize("deliver", [False, True])
def test_a_lost_answer_while_taking_the_fence(through: World, proxy: Proxy, deliver: bool) -> None:
    first = through.attempt()
    proxy.cut(b"COMMIT", deliver=deliver)
    with pytest.raises(DatabaseUnavailable):
        run(through.fences.take(first.run_id, first.attempt_id))
    again = through.attempt(first.run_id)
    assert again.publish(again.stage())


@pytest.mark.parametrize("deliver", [False, True], ids=["lost COMMIT", "lost answer"])
def test_a_lost_answer_while_rolling_back_is_settled_by_the_ledger(
    world: World, through: World, proxy: Proxy, deliver: bool
) -> None:
    versions = [world.published(small(first)).version for first in (1, 2, 3)]
    cut = proxy.cut(b"COMMIT", deliver=deliver)
    row = run(through.catalogue.roll_back("airports", to=None, rollback_id=uuid4(), actor="eve", reason=None))
    assert (cut.done, row.kind, row.version) == (1, "rollback", versions[1])
    assert len(run(world.catalogue.ledger("airports"))) == 4
    assert min(line[0] for line in world.read("airports") or ()) == 2


def test_a_rollback_whose_ledger_cannot_be_asked_is_not_called_a_failure(
    world: World, through: World, proxy: Proxy
) -> None:
    for first in (1, 2, 3):
        world.published(small(first))

    def away() -> None:
        proxy.refusing = True

    proxy.cut(b"COMMIT", deliver=True, then=away)
    order: dict[str, Any] = {"to": None, "rollback_id": uuid4(), "actor": "eve", "reason": None}
    with pytest.raises(CommitUnknown, match=r"Whether report airports was rolled back .* is not known yet"):
        run(through.catalogue.roll_back("airports", **order))
    proxy.refusing = False
    assert run(through.catalogue.roll_back("airports", **order)).run_id == order["rollback_id"]
    assert len(run(world.catalogue.ledger("airports"))) == 4


def test_a_database_that_swallows_bytes_is_given_up(through: World, proxy: Proxy, server: ReportServer) -> None:
    from kubescribe.adapters.report.fences import PostgresFences

    attempt = through.attempt()
    proxy.pause()
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        fences = PostgresFences(server.kwargs(port=proxy.port), connect_timeout=0.3)
        run(fences.raise_(attempt.run_id, attempt.attempt_id, attempt.fence))
    assert time.monotonic() - started < 5
    proxy.resume()
