"""The tests' own clusters: others rely on what they promise."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.clusters import Cluster
from tests.support.processes import children
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as made:
        yield made


def value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()  # bytes: not a literal for the type checker
        return row[0] if row else None


def test_a_database_is_made_from_a_template(cluster: Cluster) -> None:
    origin = cluster.create_database("origin")
    with psycopg.connect(origin) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    copy = cluster.create_database("copy", template="origin")
    assert value(copy, "SELECT n FROM kept") == 7
    cluster.drop_database("copy")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(copy)


def test_what_was_committed_survives_a_crash_and_the_url_stays_good() -> None:
    with Cluster(durable=True) as cluster:
        with psycopg.connect(cluster.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        cluster.crash()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(cluster.url())
        cluster.start()
        assert value(cluster.url(), "SELECT n FROM kept") == 7
        cluster.stop()
        cluster.start()
        assert value(cluster.url(), "SHOW fsync") == "on"


def test_a_paused_server_does_not_answer_and_goes_on_where_it_was(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        cluster.pause()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(cluster.url(), connect_timeout=2)
        cluster.resume()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_scram_refuses_a_wrong_password() -> None:
    with Cluster(scram=True) as cluster:
        assert value(cluster.url(), "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(cluster.url(password="wrong"))


@pytest.mark.skipif(not Cluster.ssl_available(), reason="needs the system's PostgreSQL and openssl")
def test_tls_is_verified_by_its_own_authority() -> None:
    with Cluster(ssl=True) as cluster:
        url = f"{cluster.url()}?sslmode=verify-full&sslrootcert={cluster.ca_file}"
        assert value(url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    started = os.fork()
    if started == 0:  # pragma: no cover - ends by SIGKILL
        tempfile.tempdir = str(tmp_path)  # nobody will tidy up after it
        Cluster().start()
        os.kill(os.getpid(), signal.SIGKILL)
    pids: set[int] = set()

    def ended() -> bool:
        pids.update(children(started))
        return os.waitpid(started, os.WNOHANG)[0] == started

    wait_for(ended, "the starter to be killed")
    assert pids
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the server to end")
