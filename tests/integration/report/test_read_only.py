"""A report database that takes no writes: told before the work begins, nothing changed, and good again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.domain.errors import DatabaseRefused, DatabaseUnavailable
from kubescribe.domain.exit_code import ExitCode
from tests.support.clusters import Cluster
from tests.support.modes import MODES, expect_whole, numbered
from tests.support.publishing import run
from tests.support.report_database import ReportServer
from tests.support.report_worlds import postgres_world
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        yield cluster


def set_read_only(cluster: Cluster, value: str) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")

    def heard() -> bool:
        with psycopg.connect(cluster.url("postgres")) as connection:
            return connection.execute("SHOW default_transaction_read_only").fetchone() == (value,)

    wait_for(heard, "the server to read its settings")


TURNS: dict[str, tuple[Callable[[Cluster], None], Callable[[Cluster], None]]] = {
    "hot standby": (Cluster.become_standby, Cluster.become_primary),
    "setting": (lambda cluster: set_read_only(cluster, "on"), lambda cluster: set_read_only(cluster, "off")),
}


@pytest.mark.parametrize("how", TURNS)
def test_a_server_that_takes_no_writes_and_then_does(own_cluster: Cluster, how: str) -> None:
    world = postgres_world(server := ReportServer(own_cluster))
    first = {mode: world.attempt() for mode in MODES}
    second = {mode: world.attempt() for mode in MODES}
    for mode, one in first.items():
        one.publish(numbered(one, 1, mode, mode))
    staged = {mode: numbered(one, 2, mode, mode) for mode, one in second.items()}
    away, back = TURNS[how]
    away(own_cluster)

    with pytest.raises(DatabaseRefused, match=r"it takes no writes .* point REPORT_DB_URL at the primary") as error:
        world.staging.prepare()
    assert error.value.exit_code == ExitCode.USAGE
    for mode, attempt in second.items():
        for work in (lambda: attempt.publish(staged[mode]), lambda: attempt.stage(), world.attempt):  # noqa: B023
            with pytest.raises(DatabaseRefused, match=r"in a read-only transaction; .*what was published before"):
                work()
        assert run(world.catalogue.verify(mode)).differences == ()
        assert sorted(row[2] for row in world.read(mode) or ()) == ["run 1"] * 3
    with pytest.raises(DatabaseRefused, match="read-only"):
        run(world.catalogue.roll_back("append", to=None, rollback_id=second["append"].run_id, actor="me", reason=None))
    if how == "hot standby":
        writable = PostgresStaging(server.conninfo() + " target_session_attrs=read-write")
        with pytest.raises(DatabaseUnavailable, match=r"read-only|not writable|standby|recovery"):
            writable.prepare()

    back(own_cluster)
    for mode, attempt in second.items():
        attempt.publish(staged[mode])
        expect_whole(world, mode, {first[mode].run_id: 1, attempt.run_id: 2}, mode)
    world.staging.close()
    server.drop()
