from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clusters import Cluster
from tests.support.proxy import Proxy
from tests.support.publishing import World
from tests.support.report_database import ReportServer
from tests.support.report_worlds import postgres_world


@pytest.fixture(scope="session")
def report_cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        yield cluster


@pytest.fixture
def server(report_cluster: Cluster) -> Iterator[ReportServer]:
    server = ReportServer(report_cluster)
    yield server
    server.drop()


@pytest.fixture
def world(server: ReportServer) -> Iterator[World]:
    world = postgres_world(server)
    yield world
    world.staging.close()


@pytest.fixture
def proxy(report_cluster: Cluster) -> Iterator[Proxy]:
    with Proxy(report_cluster.port) as proxy:
        yield proxy


@pytest.fixture
def through(server: ReportServer, proxy: Proxy) -> Iterator[World]:
    """The same database through the proxy; a lost COMMIT is looked for no longer than a second."""
    world = postgres_world(server, port=proxy.port, settle_timeout=1.0)
    yield world
    world.staging.close()
