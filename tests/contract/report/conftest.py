from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clusters import Cluster
from tests.support.publishing import World
from tests.support.report_database import ReportServer
from tests.support.report_worlds import memory_world, postgres_world


@pytest.fixture(scope="session")
def report_cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        yield cluster


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield memory_world()
        return
    server = ReportServer(request.getfixturevalue("report_cluster"))
    world = postgres_world(server)
    yield world
    world.staging.close()
    server.expect_no_connections()
    server.drop()
