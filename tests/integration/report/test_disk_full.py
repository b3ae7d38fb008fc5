"""No space left, at each step of staging and publishing: the old report stays, and later the same is published."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.errors import CommitUnknown, DatabaseUnavailable
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.report import ReportSpec, Staged
from tests.support.clusters import Cluster
from tests.support.modes import IN_PLACE, MODES
from tests.support.publishing import Attempt, World, run, small
from tests.support.report_database import PUBLISHER, ReportServer
from tests.support.report_worlds import postgres_world
from tests.support.small_space import SmallSpace, small_space, small_tablespace
from tests.support.steps import at

pytestmark = pytest.mark.integration

ROWS = "SELECT g AS k, 'p' || g % 2 AS p, repeat(md5(g::text), 30) AS t FROM generate_series({}, {}) g"
"""A thousand of them are a MiB."""
WAYS = ("frames", "copy")


@pytest.fixture
def space(server: ReportServer) -> Iterator[SmallSpace]:
    """New tables of the report database go to a file system of 8 MiB."""
    with small_tablespace(server.cluster, server.name, role=PUBLISHER) as space:
        yield space


def stage(attempt: Attempt, server: ReportServer, way: str, first: int, last: int, **how: Any) -> Staged:
    """Some of the rows, by one of the ways."""
    spec, ids = ReportSpec(name="airports", **how), {"run_id": attempt.run_id, "attempt_id": attempt.attempt_id}
    query, staging = ROWS.format(first, last), attempt.world.staging
    source = PostgresSource(server.cluster.url("postgres"), application_name="ks:full")
    try:
        if way == "copy":
            return staging.relay(spec, source.relay(query, {}, name="q"), **ids)
        return staging.stage(spec, source.read(query, {}, name="q", batch=1000), **ids)
    finally:
        source.done()


def keys(world: World) -> set[int]:
    return {row[0] for row in world.read("airports") or ()}


@pytest.mark.parametrize("way", WAYS)
def test_more_than_there_is_room_for(world: World, server: ReportServer, space: SmallSpace, way: str) -> None:
    first = world.attempt()
    first.publish(stage(first, server, way, 1, 3))
    attempt = world.attempt()
    with pytest.raises(
        DatabaseUnavailable, match="free space on the server's disk; what was published before"
    ) as error:
        stage(attempt, server, way, 1, 20_000)
    assert error.value.exit_code == ExitCode.TEMPORARY
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()
    assert keys(world) == {1, 2, 3}
    attempt.publish(stage(attempt, server, way, 2, 5))  # what filled the disk is gone again
    assert keys(world) == {2, 3, 4, 5}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", ["stage.created", "stage.copied"])
def test_no_room_while_staging(
    world: World, server: ReportServer, space: SmallSpace, monkeypatch: pytest.MonkeyPatch, step: str, way: str
) -> None:
    first = world.attempt()
    first.publish(stage(first, server, way, 1, 3, key=("k",)))
    attempt = world.attempt()
    with monkeypatch.context() as patched:
        at(patched, step, space.fill)
        with pytest.raises(DatabaseUnavailable, match="free space"):
            stage(attempt, server, way, 1, 500, key=("k",))
    assert keys(world) == {1, 2, 3}
    space.free()
    attempt.publish(stage(attempt, server, way, 1, 500, key=("k",)))
    assert keys(world) == set(range(1, 501))


@pytest.mark.parametrize("mode", IN_PLACE)
def test_no_room_while_publishing(
    world: World, server: ReportServer, space: SmallSpace, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    first, attempt = world.attempt(), world.attempt()
    first.publish(stage(first, server, "copy", 1, 9, **MODES[mode]))
    staged = stage(attempt, server, "copy", 10, 900, **MODES[mode])
    with monkeypatch.context() as patched:
        at(patched, "publish.attached", space.fill)
        with pytest.raises(DatabaseUnavailable, match="free space"):
            attempt.publish(staged)
    assert keys(world) == set(range(1, 10))
    space.free()
    (published,) = attempt.publish(staged)
    assert keys(world) == set(range(10 if mode == "replace_partition" else 1, 901))
    assert published.inserted == 891
    assert run(world.catalogue.verify("airports")).differences == ()


def test_a_server_that_has_no_room_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log of changes is on the same disk, so it may even stop: it is away until there is room."""
    with small_space(200) as space:
        monkeypatch.setattr(tempfile, "tempdir", str(space.folder))
        with Cluster() as cluster:
            ReportServer.prepare(cluster)
            world = postgres_world(server := ReportServer(cluster), settle_timeout=1.0)
            world.published(small(1))
            attempt = world.attempt()
            space.fill()
            with pytest.raises((DatabaseUnavailable, CommitUnknown)) as error:
                attempt.publish(attempt.stage(pl.DataFrame({"k": range(100_000, 2_000_000), "t": "x"})))
            assert error.value.exit_code == ExitCode.TEMPORARY
            space.free()
            cluster.stop("immediate")
            cluster.start()
            assert min(row[0] for row in world.read("airports") or ()) == 1
            attempt.publish(attempt.stage(small(2)))
            assert min(row[0] for row in world.read("airports") or ()) == 2
            world.staging.close()
            server.drop()
