"""The worlds in which every source is tried: frames in memory, and tables of a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import polars as pl
import psycopg
import pytest
from psycopg import sql
from tests.support.clusters import Cluster
from tests.support.waiting import wait_for

from kubescribe.adapters.memory.source import MemorySource
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.application.ports.source import Source

_SERVER_TYPES = {pl.Int64: "int8", pl.Int32: "int4", pl.String: "text", pl.Float64: "float8", pl.Date: "date"}
_SERVER_TYPES |= {pl.Boolean: "bool"}


class World(Protocol):
    def put(self, table: str, frame: pl.DataFrame) -> None: ...

    def open(self, *, snapshot: str = "run") -> Source: ...

    def go_away(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.tables: dict[str, pl.DataFrame] = {}
        self._sources: list[MemorySource] = []

    def put(self, table: str, frame: pl.DataFrame) -> None:
        self.tables[table] = frame

    def open(self, *, snapshot: str = "run") -> Source:
        self._sources.append(MemorySource(self.tables, snapshot=snapshot))
        return self._sources[-1]

    def go_away(self) -> None:
        for source in self._sources:
            source.available = False

    def close(self) -> None: ...


class PostgresWorld:
    def __init__(self, cluster: Cluster, url: str) -> None:
        self.cluster, self.url = cluster, url
        self._sources: list[PostgresSource] = []
        self._stopped = False

    def put(self, table: str, frame: pl.DataFrame) -> None:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.Identifier(_SERVER_TYPES[type(dtype)]))
            for name, dtype in frame.schema.items()
        )
        values = sql.SQL(", ").join(sql.Placeholder() * frame.width)
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(sql.Identifier(table), columns))
            # Rows go one by one: a table that is dropped under a snapshot is another story.
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            connection.cursor().executemany(
                sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), values), frame.rows()
            )

    def open(self, *, snapshot: str = "run") -> Source:
        self._sources.append(PostgresSource(self.url, application_name="ks:test", snapshot=snapshot))
        return self._sources[-1]

    def go_away(self) -> None:
        self._stopped = True
        self.cluster.stop("immediate")

    def close(self) -> None:
        for source in self._sources:
            source.done()
        if self._stopped:
            self.cluster.start()
        ours = "SELECT query FROM pg_stat_activity WHERE application_name = 'ks:test'"
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            wait_for(lambda: not connection.execute(ours).fetchall(), "the source's sessions to end")


@pytest.fixture(scope="session")
def source_cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    cluster: Cluster = request.getfixturevalue("source_cluster")
    real = PostgresWorld(cluster, cluster.create_database("production"))
    yield real
    real.close()
    cluster.drop_database("production")


@pytest.fixture
def flights(world: World) -> Callable[[], pl.DataFrame]:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3, 4, 5],
            "origin": ["EWR", "JFK", "EWR", None, "O'Hare"],
            "month": [1, 1, 2, 2, 3],
            "delay": [0.5, None, -3.25, 10.0, 1e300],
        },
        schema={"id": pl.Int64, "origin": pl.String, "month": pl.Int32, "delay": pl.Float64},
    )
    world.put("flights", frame)
    return lambda: frame
