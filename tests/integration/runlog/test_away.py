"""RunLog goes away and comes back: the error says so, nothing is half done, and the next call works again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol
from uuid import UUID

import psycopg
import pytest

from kubescribe.adapters.postgres.attempt_log import PostgresAttemptLog
from kubescribe.adapters.postgres.engine import runlog_engine
from kubescribe.adapters.postgres.migrate import migrate
from kubescribe.adapters.postgres.run_history import PostgresRunHistory
from kubescribe.adapters.postgres.run_log import PostgresRunLog
from kubescribe.application.ports.attempt_log import Beat
from kubescribe.domain.errors import DatabaseRefused, DatabaseUnavailable
from kubescribe.domain.run_status import RunStatus
from tests.support.addresses import asyncpg_address
from tests.support.builders import a_claim, a_run, failed, succeeded
from tests.support.clusters import PASSWORD, Cluster
from tests.support.cutting import Cutter

pytestmark = [pytest.mark.integration, pytest.mark.faults]

RUN, ATTEMPT = UUID(int=1), UUID(int=2)


class Users:
    """Both sides, with short patience."""

    def __init__(self, address: dict[str, Any]) -> None:
        self.attempt_log = PostgresAttemptLog(address, connect_timeout=1.0, statement_timeout=0.5)
        self.engine = runlog_engine(address, connect_timeout=1.0)
        self.run_log = PostgresRunLog(self.engine, statement_timeout=0.5)
        self.history = PostgresRunHistory(self.engine, statement_timeout=0.5)

    async def close(self) -> None:
        await self.attempt_log.close()
        await self.engine.dispose()

    def calls(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        return {
            "claim": lambda: self.attempt_log.claim(a_claim(RUN, ATTEMPT)),
            "beat": lambda: self.attempt_log.beat(Beat(attempt_id=ATTEMPT, lease=60)),
            "finish": lambda: self.attempt_log.finish(ATTEMPT, succeeded()),
            "create": lambda: self.run_log.create(a_run(UUID(int=3))),
            "open_runs": lambda: self.run_log.open_runs(),
            "events": lambda: self.history.events(RUN),
        }


class Using(Protocol):
    def __call__(self, address: dict[str, Any]) -> Users: ...


@pytest.fixture
def using(loop: asyncio.Runner, request: pytest.FixtureRequest) -> Iterator[Using]:
    made: list[Users] = []

    def make(address: dict[str, Any]) -> Users:
        made.append(Users(address))
        return made[-1]

    yield make
    for users in made:
        loop.run(users.close())


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A cluster to stop and pause, which asks for passwords."""
    with Cluster(scram=True) as cluster:
        asyncio.run(migrate(asyncpg_address(cluster.create_database("template"))))
        yield cluster


@pytest.fixture
def url(own: Cluster) -> Iterator[str]:
    yield own.create_database("runlog", template="template")
    own.drop_database("runlog")


def all_raise(loop: asyncio.Runner, users: Users, kind: type[Exception], match: str | None = None) -> None:
    for name, call in users.calls().items():
        before = time.monotonic()

        async def awaited(call: Callable[[], Awaitable[Any]] = call) -> Any:
            return await call()

        with pytest.raises(kind, match=match) as caught:
            loop.run(awaited())
        assert "RunLog" in str(caught.value), name
        assert PASSWORD not in str(caught.value)
        assert time.monotonic() - before < 8, name


def all_work(loop: asyncio.Runner, users: Users) -> None:
    for call in users.calls().values():

        async def awaited(call: Callable[[], Awaitable[Any]] = call) -> Any:
            return await call()

        loop.run(awaited())


def test_stopped_and_started_again(loop: asyncio.Runner, own: Cluster, url: str, using: Using) -> None:
    users = using(asyncpg_address(url))
    all_work(loop, users)
    own.stop("immediate")
    try:
        all_raise(loop, users, DatabaseUnavailable)
    finally:
        own.start()
    all_work(loop, users)


def test_restarted_meanwhile_is_not_even_noticed(loop: asyncio.Runner, own: Cluster, url: str, using: Using) -> None:
    users = using(asyncpg_address(url))
    for mode in ("fast", "immediate"):
        all_work(loop, users)
        own.stop(mode)
        own.start()
    all_work(loop, users)


def test_silent(loop: asyncio.Runner, own: Cluster, url: str, using: Using) -> None:
    users = using(asyncpg_address(url))
    all_work(loop, users)
    own.pause()
    try:
        all_raise(loop, users, DatabaseUnavailable)
    finally:
        own.resume()
    all_work(loop, users)


def test_read_only(loop: asyncio.Runner, own: Cluster, url: str, using: Using) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE runlog SET default_transaction_read_only = on")
    users = using(asyncpg_address(url))
    for call in (
        users.attempt_log.claim(a_claim(RUN, ATTEMPT)),
        users.attempt_log.beat(Beat(attempt_id=ATTEMPT, lease=1)),
        users.run_log.create(a_run(RUN)),
    ):
        with pytest.raises(DatabaseUnavailable, match="read-only"):
            loop.run(call)


def test_full(loop: asyncio.Runner, own: Cluster, url: str, using: Using) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE runlog CONNECTION LIMIT 0")
        connection.execute("DROP ROLE IF EXISTS modest")
        connection.execute(f"CREATE ROLE modest LOGIN PASSWORD '{PASSWORD}'")
    all_raise(loop, using(asyncpg_address(url) | {"user": "modest"}), DatabaseUnavailable, "too many connections")


def test_without_rights(loop: asyncio.Runner, own: Cluster, url: str, using: Using) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS modest")
        connection.execute(f"CREATE ROLE modest LOGIN PASSWORD '{PASSWORD}'")
    all_raise(loop, using(asyncpg_address(url) | {"user": "modest"}), DatabaseRefused, "permission denied.*right")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"password": "hunter2hunter2"}, "password authentication failed"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"database": "nowhere"}, "nowhere"),
    ],
)
def test_refused(loop: asyncio.Runner, url: str, using: Using, wrong: dict[str, str], match: str) -> None:
    users = using(asyncpg_address(url) | wrong)
    all_raise(loop, users, DatabaseRefused, match)


def test_nobody_there(loop: asyncio.Runner, url: str, using: Using) -> None:
    all_raise(loop, using(asyncpg_address(url) | {"port": 1}), DatabaseUnavailable)


def test_somebody_holds_the_run(loop: asyncio.Runner, url: str, using: Using) -> None:
    users = using(asyncpg_address(url))
    loop.run(users.attempt_log.claim(a_claim(RUN, ATTEMPT)))
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM run FOR UPDATE")
        with pytest.raises(DatabaseUnavailable, match=r"too long|lock"):
            loop.run(users.attempt_log.finish(ATTEMPT, succeeded()))
        # but a sign of life waits for nobody
        assert loop.run(users.attempt_log.beat(Beat(attempt_id=ATTEMPT, lease=1))).current
        other.rollback()
    assert loop.run(users.attempt_log.finish(ATTEMPT, succeeded())).status is RunStatus.SUCCEEDED


def test_a_cancelled_call_leaves_a_log_that_works(loop: asyncio.Runner, url: str, using: Using) -> None:
    users = using(asyncpg_address(url))
    loop.run(users.attempt_log.claim(a_claim(RUN, ATTEMPT)))

    async def cancelled() -> None:
        task = asyncio.ensure_future(users.attempt_log.finish(ATTEMPT, succeeded()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM run FOR UPDATE")
        loop.run(cancelled())
        other.rollback()
    assert loop.run(users.attempt_log.finish(ATTEMPT, succeeded())).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("kept", [False, True], ids=["first call", "kept connection"])
@pytest.mark.parametrize("answered", [False, True], ids=["COMMIT lost", "answer lost"])
def test_cut_at_the_commit(loop: asyncio.Runner, url: str, using: Using, kept: bool, answered: bool) -> None:
    """FAULTS D3: a COMMIT that was sent and not answered has happened or not; telling it again is right in both."""
    cutter = Cutter(asyncpg_address(url)["port"], deliver=answered)
    loop.run(cutter.start())
    users = using(asyncpg_address(url) | {"port": cutter.port})

    async def until_told(call: Callable[[], Awaitable[Any]]) -> Any:
        cutter.arm()
        for _ in range(3):
            try:
                return await call()
            except DatabaseUnavailable:
                continue
        raise AssertionError("in vain")

    if kept:
        loop.run(users.attempt_log.claim(a_claim(UUID(int=8), UUID(int=9))))
    claimed = loop.run(until_told(lambda: users.attempt_log.claim(a_claim(RUN, ATTEMPT))))
    assert (claimed.run.attempts, claimed.attempt.number) == (1, 1)
    run = loop.run(until_told(lambda: users.attempt_log.finish(ATTEMPT, failed())))
    assert run.status is RunStatus.FAILED
    assert cutter.cuts == 2
    kinds = [event.kind for event in loop.run(users.history.events(RUN))]
    assert kinds == ["run.created", "run.running", "run.failed"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
    loop.run(users.close())
    loop.run(cutter.stop())
