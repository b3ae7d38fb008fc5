"""What every test may use: loops, clusters, a RunLog of its own; and no sockets without the integration mark."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

from kubescribe.adapters.postgres.migrate import migrate
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster
from tests.support.waiting import wait_for

pytest_plugins = (
    "tests.support.kube.fixtures",
    *(f"tests.features.steps.{name}" for name in ("acting", "reading", "seeing", "on_a_cluster")),
)

MAY_CONNECT = ("integration", "faults", "packaging", "cluster")
_NUMBERS = itertools.count(1)

# A busy machine is no failure: how long an example may take is the test's own timeout.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that need no machine get none; event loops talk to themselves through Unix sockets."""
    if any(request.node.get_closest_marker(mark) for mark in MAY_CONNECT):
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for the test: ``loop.run(coroutine)``."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One private cluster for each worker."""
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def runlog_template(cluster: Cluster) -> str:
    """The name of a database with RunLog's schema, to be copied."""
    asyncio.run(migrate(asyncpg_address(cluster.create_database("runlog_template"))))
    return "runlog_template"


@pytest.fixture
def runlog_url(cluster: Cluster, runlog_template: str) -> Iterator[str]:
    """An empty RunLog of the test's own; fails the test if it left a connection open."""
    name = f"runlog_{next(_NUMBERS)}"
    yield cluster.create_database(name, template=runlog_template)
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:

        def left() -> int:
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone()
            return row[0] if row else 0

        wait_for(lambda: left() == 0, "the test's connections to be closed", timeout=3)
    cluster.drop_database(name)


@pytest.fixture
def runlog_address(runlog_url: str) -> dict[str, Any]:
    """``runlog_url`` as asyncpg takes it."""
    return asyncpg_address(runlog_url)
