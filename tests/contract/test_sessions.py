"""A run's sessions on a database: its own are ended, and nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID, uuid4

import psycopg
import pytest

from kubescribe.adapters.memory.sessions import MemorySessions
from kubescribe.adapters.postgres.sessions import PostgresSessions
from kubescribe.application.ports.sessions import SessionCheck, Sessions, SessionState
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster

RUN, OTHER = uuid4(), uuid4()


class World(Protocol):
    sessions: Sessions

    def open(self, run_id: UUID, count: int) -> None: ...

    def count(self, run_id: UUID) -> int: ...

    def forbid(self) -> None:
        """From now on the role may look and not end anything."""
        ...

    def away(self) -> None: ...

    def close(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.memory = MemorySessions()
        self.sessions: Sessions = self.memory

    def open(self, run_id: UUID, count: int) -> None:
        self.memory.open[run_id] = count

    def count(self, run_id: UUID) -> int:
        return self.memory.open.get(run_id, 0)

    def forbid(self) -> None:
        self.memory.may_end = False

    def away(self) -> None:
        self.memory.available = False

    def close(self) -> None:
        pass


class PostgresWorld:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.name = cluster, "sessions"
        self.url = cluster.create_database(self.name)
        self.sessions: Sessions = PostgresSessions(asyncpg_address(self.url), database="production", patience=10.0)
        self.connections: list[psycopg.Connection] = []

    def open(self, run_id: UUID, count: int) -> None:
        for _ in range(count):
            name = f"ks:{run_id}:{uuid4()}"[:63]
            self.connections.append(psycopg.connect(self.url, application_name=name, autocommit=True))

    def count(self, run_id: UUID) -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query, (f"ks:{run_id}:%",)).fetchone()
            assert row is not None
            return int(row[0])

    def forbid(self) -> None:
        twice = contextlib.suppress(psycopg.errors.DuplicateObject)
        with psycopg.connect(self.url, autocommit=True) as connection, twice:
            connection.execute("CREATE ROLE looker LOGIN PASSWORD 'looks'")
        url = self.cluster.url(self.name, user="looker", password="looks")
        self.sessions = PostgresSessions(asyncpg_address(url), database="production")

    def away(self) -> None:
        url = self.cluster.url("no_such_database")
        self.sessions = PostgresSessions(asyncpg_address(url), database="production")

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self.cluster.drop_database(self.name)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world: World = MemoryWorld() if request.param == "memory" else PostgresWorld(request.getfixturevalue("cluster"))
    yield world
    world.close()


def end(world: World, run_id: UUID = RUN) -> SessionCheck:
    return asyncio.run(world.sessions.end(run_id))


def test_where_there_are_none_they_are_gone(world: World) -> None:
    assert end(world) == SessionCheck(database="production", state=SessionState.GONE)


def test_those_of_the_run_are_ended_and_no_others(world: World) -> None:
    world.open(RUN, 3)
    world.open(OTHER, 2)
    found = end(world)
    assert (found.state, found.detail) == (SessionState.GONE, "3 were ended")
    assert (world.count(RUN), world.count(OTHER)) == (0, 2)


def test_what_may_not_be_ended_is_left_and_said_to_be(world: World) -> None:
    world.open(RUN, 2)
    world.forbid()
    found = end(world)
    assert found.state is SessionState.LEFT and "2 could not be ended" in found.detail
    assert world.count(RUN) == 2


def test_where_nobody_can_look_nothing_is_verified(world: World) -> None:
    world.away()
    found = end(world)
    assert found.state is SessionState.UNVERIFIED and found.detail
