"""Transactions on pooled connections: their limits, and what becomes of a connection after each kind of end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kubescribe.adapters.postgres.engine import runlog_engine, transact
from kubescribe.domain.errors import DatabaseUnavailable, RunNotFound
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

MANY = 13
"""More than are kept."""
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


class Server:
    """A database with one table, an engine on it, and who looks at it from outside."""

    def __init__(self, url: str, loop: asyncio.Runner) -> None:
        self.loop = loop
        self.admin = psycopg.connect(url, autocommit=True)
        self.admin.execute("CREATE TABLE kept (name text PRIMARY KEY)")
        self.engine: AsyncEngine = runlog_engine(asyncpg_address(url))

    def transact(self, *statements: str, timeout: float = 10.0) -> list[object]:
        return self.loop.run(self.transaction(*statements, timeout=timeout))

    async def transaction(self, *statements: str, timeout: float = 10.0) -> list[object]:
        async def work(connection: AsyncConnection) -> list[object]:
            results = [await connection.execute(text(statement)) for statement in statements]
            return [result.scalar() if result.returns_rows else None for result in results]

        return await transact(self.engine, work, timeout=timeout)

    def at_once(self, count: int) -> list[int]:
        """That many transactions, all open at the same time; the server processes that they had."""

        async def all_of_them() -> list[int]:
            together = asyncio.Barrier(count)

            async def work(connection: AsyncConnection) -> int:
                pid: int = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
                await together.wait()
                return pid

            return await asyncio.gather(*(transact(self.engine, work) for _ in range(count)))

        return self.loop.run(all_of_them())

    def kept(self) -> list[str]:
        return [row[0] for row in self.admin.execute("SELECT name FROM kept ORDER BY name")]

    def in_a_transaction(self) -> int:
        row = self.admin.execute(f"SELECT count(*) {OTHERS} AND state LIKE 'idle in%'".encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def server(cluster: Cluster, loop: asyncio.Runner) -> Iterator[Server]:
    made = Server(cluster.create_database("engine"), loop)
    yield made
    loop.run(made.engine.dispose())
    made.admin.close()
    cluster.drop_database("engine")


def test_limits_hold_within_a_transaction_and_not_after_it(server: Server) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    asked = [f"SELECT current_setting('{name}')" for name in names]
    assert server.transact(*asked, timeout=2.5) == ["2500ms"] * 3
    assert server.transact(*asked, timeout=7.0) == ["7s"] * 3
    (pid,) = server.at_once(1)

    async def outside() -> list[str]:
        async with server.engine.connect() as connection:
            assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() == pid
            return [(await connection.execute(text(one))).scalar_one() for one in asked]

    assert server.loop.run(outside()) == ["0"] * 3, "a session kept the limits of a transaction"


def test_a_transaction_is_two_messages_more_than_its_work(server: Server, cluster: Cluster) -> None:
    server.admin.execute("ALTER DATABASE engine SET log_statement = 'all'")
    server.transact("SELECT 'the first on a connection'")
    before = cluster.log_file.stat().st_size
    server.transact("INSERT INTO kept VALUES ('one')", "SELECT 1", timeout=2.5)
    with cluster.log_file.open() as log:
        log.seek(before)
        lines = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*)", log.read())
    limits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
    begin = "; ".join(["BEGIN", *(f"SET LOCAL {name} = 2500" for name in limits)])
    assert lines == [begin, "INSERT INTO kept VALUES ('one')", "SELECT 1", "COMMIT"]


def test_a_statement_that_takes_too_long_is_ended_by_the_server(server: Server) -> None:
    with pytest.raises(DatabaseUnavailable, match="a statement took too long"):
        server.transact("INSERT INTO kept VALUES ('slow')", "SELECT pg_sleep(30)", timeout=0.2)
    assert server.kept() == [] and server.in_a_transaction() == 0


def test_connections_that_died_meanwhile_are_not_noticed(server: Server) -> None:
    pids = server.at_once(MANY)
    assert len(set(pids)) == MANY
    server.admin.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}".encode())
    wait_for(lambda: server.admin.execute(f"SELECT 1 {OTHERS}".encode()).fetchone() is None, "them to end")
    assert not set(server.at_once(MANY)) & set(pids)


def test_a_connection_that_dies_within_a_transaction_is_an_error_and_no_other_is_touched(server: Server) -> None:
    with pytest.raises(DatabaseUnavailable):
        server.transact("INSERT INTO kept VALUES ('lost')", "SELECT pg_terminate_backend(pg_backend_pid())")
    server.transact("INSERT INTO kept VALUES ('written')")
    assert server.kept() == ["written"]


def test_an_error_of_ours_undoes_what_was_written_and_the_connection_is_used_again(server: Server) -> None:
    (pid,) = server.at_once(1)

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO kept VALUES ('half')"))
        raise RunNotFound("x")

    with pytest.raises(RunNotFound):
        server.loop.run(transact(server.engine, work))
    assert server.kept() == [] and server.in_a_transaction() == 0
    assert server.at_once(1) == [pid]


def test_a_mistake_in_a_statement_undoes_what_was_written(server: Server) -> None:
    with pytest.raises(Exception, match="duplicate key"):
        server.transact("INSERT INTO kept VALUES ('twice')", "INSERT INTO kept VALUES ('twice')")
    assert server.kept() == [] and server.in_a_transaction() == 0


def test_a_cancelled_transaction_leaves_nothing_open_and_nothing_written(server: Server) -> None:
    async def cancelled_in(what: Callable[[AsyncConnection, asyncio.Event], Awaitable[object]]) -> None:
        begun = asyncio.Event()
        task = asyncio.ensure_future(transact(server.engine, lambda connection: what(connection, begun)))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def in_a_statement(connection: AsyncConnection, begun: asyncio.Event) -> None:
        await connection.execute(text("INSERT INTO kept VALUES ('in a statement')"))
        begun.set()
        await connection.execute(text("SELECT pg_sleep(30)"))

    async def between_two(connection: AsyncConnection, begun: asyncio.Event) -> None:
        await connection.execute(text("INSERT INTO kept VALUES ('between two')"))
        begun.set()
        await asyncio.sleep(30)

    for what in (in_a_statement, between_two):
        server.loop.run(cancelled_in(what))
        server.transact(f"INSERT INTO kept VALUES ('after {what.__name__}')")
    wait_for(lambda: server.in_a_transaction() == 0, "what was cancelled to be undone")
    assert server.kept() == ["after between_two", "after in_a_statement"]
