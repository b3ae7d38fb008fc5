"""Old versions go, and no reader notices."""

from __future__ import annotations

import psycopg
import pytest

from kubescribe.domain.errors import VersionNotKept
from tests.support.publishing import World, apart, run, small
from tests.support.report_database import ReportServer
from tests.support.steps import at

pytestmark = pytest.mark.integration
LEAST = "SELECT min(k), count(*) FROM reports.airports"
TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'reports'::regnamespace AND relkind = 'r'"


def old_reader(server: ReportServer) -> psycopg.Connection:
    reader = server.reader()
    reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return reader


def tables(server: ReportServer) -> int:
    with server.admin() as admin:
        row = admin.execute(TABLES).fetchone()
        assert row is not None
        return int(row[0])


def test_a_reader_that_began_before_still_finds_its_rows(world: World, server: ReportServer) -> None:
    first = world.published(small(1)).version
    with old_reader(server) as reader:
        reader.execute("SELECT 1")  # its moment is now, and it has not touched the report
        second = world.published(small(2)).version
        assert run(world.publisher.retire("airports", 1)) == ()
        third = world.published(small(3)).version
        assert run(world.publisher.retire("airports", 1)) == ()
        assert reader.execute(LEAST).fetchone() == (1, 3)
        assert run(world.catalogue.get("airports")).versions == (third,)
        reader.commit()
        assert reader.execute(LEAST).fetchone() == (3, 3)
        reader.commit()
        assert run(world.publisher.retire("airports", 1)) == (first, second)
        assert reader.execute(LEAST).fetchone() == (3, 3)
    assert tables(server) == 1


def test_a_reader_that_began_during_the_publication_still_finds_its_rows(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.published(small(1)).version
    with old_reader(server) as reader:
        at(monkeypatch, "publish.pointed", lambda: reader.execute("SELECT 1"))
        world.published(small(2))
        assert run(world.publisher.retire("airports", 1)) == ()
        assert reader.execute(LEAST).fetchone() == (1, 3)
    assert run(world.publisher.retire("airports", 1)) == (first,)


def test_a_reader_of_the_newest_version_is_not_waited_for_nor_disturbed(world: World, server: ReportServer) -> None:
    versions = [world.published(small(n)).version for n in (1, 2, 3)]
    with old_reader(server) as reader:
        assert reader.execute(LEAST).fetchone() == (3, 3)  # holds locks on every partition
        assert run(world.publisher.retire("airports", 1)) == ()
        assert reader.execute(LEAST).fetchone() == (3, 3)
        with server.reader() as other:
            other.execute("SET lock_timeout = 1")
            assert other.execute(LEAST).fetchone() == (3, 3)
        assert world.published(small(4), report="another")
        assert world.published(small(4))
        assert reader.execute(LEAST).fetchone() == (3, 3)
    assert run(world.publisher.retire("airports", 2)) == tuple(versions[:2])
    assert tables(server) == 3


def test_readers_are_not_blocked_while_versions_go(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (1, 2):
        world.published(small(n))
    seen = []

    def look() -> None:
        with server.reader() as reader:
            reader.execute("SET lock_timeout = 1")
            seen.append(reader.execute(LEAST).fetchone())

    at(monkeypatch, "retire.detached", look)
    assert len(run(world.publisher.retire("airports", 1))) == 1
    assert seen == [(2, 3)]


def test_what_was_interrupted_after_the_detach_goes_next_time(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [world.published(small(n)).version for n in (1, 2, 3)]

    def stop() -> None:
        raise RuntimeError("killed")

    at(monkeypatch, "retire.detached", stop)
    with pytest.raises(RuntimeError):
        run(world.publisher.retire("airports", 1))
    assert tables(server) == 3
    assert run(world.publisher.retire("airports", 1)) == tuple(versions[:2])
    assert tables(server) == 1


def test_a_condemned_version_is_not_rolled_back_to(world: World, server: ReportServer) -> None:
    with old_reader(server) as reader:
        first = world.published(small(1)).version
        reader.execute("SELECT 1")
        world.published(small(2))
        assert run(world.publisher.retire("airports", 1)) == ()
        with pytest.raises(VersionNotKept):
            run(
                world.catalogue.roll_back(
                    "airports", to=first, rollback_id=world.attempt().run_id, actor="eve", reason=None
                )
            )


def test_an_attached_version_that_was_never_published_can_be_discarded(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.published(small(1))
    attempt = world.attempt()
    staged = attempt.stage(small(2))
    at(monkeypatch, "publish.attached", lambda: apart(world.fences.close(attempt.run_id, "cancelled")))
    with pytest.raises(Exception, match="closed as cancelled"):
        attempt.publish(staged)
    assert tables(server) == 2
    with old_reader(server) as reader:
        assert reader.execute(LEAST).fetchone() == (1, 3)
        run(world.publisher.discard(attempt.run_id))  # cannot go now: a reader's plan holds it
        assert tables(server) == 2
    run(world.publisher.discard(attempt.run_id))
    assert tables(server) == 1
    with server.admin() as admin:
        assert admin.execute("SELECT count(*) FROM kubescribe.staged").fetchone() == (1,)


def test_discarding_waits_for_the_publication_under_way(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    from concurrent.futures import Future, ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        discarding: list[Future[None]] = []
        at(
            monkeypatch,
            "publish.fence_checked",
            lambda: discarding.append(thread.submit(run, world.publisher.discard(attempt.run_id))),
        )
        assert attempt.publish(staged)
        discarding[0].result()
    assert len(world.read("airports") or ()) == 3


def test_staging_again_after_the_version_was_attached(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.published(small(1))
    attempt = world.attempt()
    staged = attempt.stage(small(2))

    def stop() -> None:
        raise RuntimeError("killed")

    at(monkeypatch, "publish.attached", stop)
    with pytest.raises(RuntimeError):
        attempt.publish(staged)
    assert attempt.publish(attempt.stage(small(3)))
    run(world.publisher.retire("airports", 5))
    assert tables(server) == 2
