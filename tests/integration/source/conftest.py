from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from tests.support.clusters import Cluster

from kubescribe.adapters.source.postgres import PostgresSource

Open = Callable[..., PostgresSource]


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    with Cluster(scram=True) as cluster:
        yield cluster


@pytest.fixture
def url(server: Cluster) -> Iterator[str]:
    yield server.create_database("production")
    server.drop_database("production")


@pytest.fixture
def admin(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that writes and looks, apart from the source."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def open_source(url: str) -> Iterator[Open]:
    opened: list[PostgresSource] = []

    def open_(conninfo: str = url, **options: Any) -> PostgresSource:
        opened.append(PostgresSource(conninfo, application_name="ks:run:attempt", **options))
        return opened[-1]

    yield open_
    for source in opened:
        source.done()
