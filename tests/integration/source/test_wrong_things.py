"""What goes wrong on production is told in a sentence, without a password and without a value."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.clusters import PASSWORD, Cluster
from tests.support.waiting import wait_for

from kubescribe.domain.errors import (
    DatabaseRefused,
    DatabaseUnavailable,
    KubescribeError,
    QueryFailed,
    SnapshotLost,
)

from .conftest import Open

pytestmark = pytest.mark.integration


def whole(source: Any, query: str, **binds: Any) -> Any:
    (frame,) = source.read(query, binds, name="flights", batch=None)
    return frame


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT\n  nope\nFROM pg_class", 'column "nope" does not exist; at line 2, column 3'),
        ("SELECT oid FROM pg_class WHERE :a = 1 AND\n nope = 2", "at line 2, column 2"),
        ("SELECT oid FROM pg_class WHERE relname = :a::int", "operator does not exist: name = integer; at line 1"),
        ("SELECT FROM pg_class", "query flights failed: it returns no columns"),
        ("SELECT 1 AS a, 2 AS a, 3 AS b, 4 AS b", "it returns several columns called a, b; rename them with AS"),
        ("WITH x AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM x", "query flights failed: "),
        ("SELECT nextval('s')", "cannot execute nextval() in a read-only transaction"),
        ("SELECT * FROM t FOR UPDATE", "cannot execute SELECT FOR UPDATE in a read-only transaction"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "query flights failed: "),
        ("SELECT 1/0", "division by zero"),
        ("SELECT * INTO x FROM t", "query flights failed: "),
        ("SELECT 'open", "query flights failed: unterminated quoted string"),
    ],
)
def test_a_wrong_query_says_what_the_server_said(
    admin: psycopg.Connection[Any], open_source: Open, query: str, message: str
) -> None:
    admin.execute("CREATE TABLE t (id int); CREATE SEQUENCE s")
    binds = {"a": 1} if ":a" in query else {}
    with pytest.raises(QueryFailed) as error:
        whole(open_source(), query, **binds)
    assert message in str(error.value)
    assert admin.execute("SELECT * FROM t").fetchall() == []


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT CAST(:x AS int) AS x", "hunter2"),
        ("SELECT CAST(:x AS date) AS x", "2013-13-77"),
        ("SELECT CAST(:x AS int[]) AS x", ["hunter2"]),
        ("SELECT CAST(:x AS int2) AS x", 777777),
        ("SELECT CAST(:x AS json) AS x", "{hunter2"),
        ("SELECT CAST(:x AS int) AS x", "7x"),
    ],
)
def test_an_error_does_not_hold_the_value(open_source: Open, query: str, value: Any) -> None:
    with pytest.raises(QueryFailed) as error:
        whole(open_source(), query, x=value)
    text = str(value[0] if isinstance(value, list) else value)
    assert text not in str(error.value)
    for chained in (error.value.__cause__, error.value if not error.value.__suppress_context__ else None):
        assert chained is None


def test_a_statement_has_its_time(open_source: Open) -> None:
    with pytest.raises(QueryFailed, match=r"statement timeout.*KUBESCRIBE_STATEMENT_TIMEOUT"):
        whole(open_source(statement_timeout=0.1), "SELECT pg_sleep(30)")


@pytest.mark.parametrize("rows", [1, 100_000])
def test_a_stream_that_stops_coming_is_ended_and_the_server_told(
    admin: psycopg.Connection[Any], open_source: Open, rows: int
) -> None:
    source = open_source(statement_timeout=0.3)
    text = f"CASE WHEN g = {rows} THEN pg_sleep(60)::text ELSE repeat('x', 100) END"
    query = f"SELECT {text} AS t FROM generate_series(1, {rows}) g"
    with pytest.raises(QueryFailed, match=r"statement timeout.*KUBESCRIBE_STATEMENT_TIMEOUT"):
        list(source.read(query, {}, name="q", batch=1000))
    asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_for(lambda: not admin.execute(asleep).fetchall(), "the server to stop")


def test_a_slow_consumer_does_not_use_up_the_statements_time(open_source: Open) -> None:
    source = open_source(statement_timeout=0.5)
    # 1.2 s together, 0.15 s a row; the server sends what fills its buffer of 8 KiB
    query = "SELECT g, pg_sleep(0.15), repeat('x', 9000) AS t FROM generate_series(1, 8) g"
    assert sum(frame.height for frame in source.read(query, {}, name="q", batch=1)) == 8


def test_a_killed_session_is_a_database_that_is_away(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source()
    errors: list[KubescribeError] = []

    def read() -> None:
        try:
            whole(source, "SELECT pg_sleep(60)")
        except KubescribeError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    sleeping = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%%' AND state = 'active'"
    found = wait_for(lambda: admin.execute(sleeping).fetchall(), "the query to run")
    admin.execute("SELECT pg_terminate_backend(%s)", [found[0][0]])
    thread.join(10)
    assert [type(error) for error in errors] == [DatabaseUnavailable]
    assert not isinstance(errors[0], SnapshotLost)


def test_a_wrong_password_appears_nowhere(server: Cluster, open_source: Open) -> None:
    source = open_source(server.url("postgres", password="not-the-secret"))
    with pytest.raises(
        DatabaseRefused, match=r'refused: password authentication failed for user "\w+"; check'
    ) as error:
        whole(source, "SELECT 1 AS x")
    assert "not-the-secret" not in repr(error.value)
    assert error.value.__cause__ is None


def test_a_missing_database_is_a_refusal(server: Cluster, open_source: Open) -> None:
    with pytest.raises(DatabaseRefused, match='database "nowhere" does not exist'):
        whole(open_source(server.url("nowhere")), "SELECT 1 AS x")


def test_a_missing_right_names_the_table(admin: psycopg.Connection[Any], server: Cluster, open_source: Open) -> None:
    admin.execute("CREATE TABLE secret (id int)")
    admin.execute("DROP ROLE IF EXISTS reader")
    admin.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    with pytest.raises(QueryFailed, match="permission denied for table secret"):
        whole(open_source(server.url("production", user="reader")), "SELECT * FROM secret")


@pytest.mark.parametrize("conninfo", ["postgresql://u:hunter2@[broken", "hunter2 =", "passwort=hunter2"])
def test_a_broken_connection_string_is_not_quoted(open_source: Open, conninfo: str) -> None:
    with pytest.raises(DatabaseRefused, match="cannot be parsed; check PROD_DB_URL") as error:
        whole(open_source(conninfo), "SELECT 1 AS x")
    assert "hunter2" not in str(error.value)


def test_nobody_at_the_port_is_away(open_source: Open) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"the production database does not answer: .*refused") as error:
        whole(open_source("postgresql://u:hunter2@127.0.0.1:1/x"), "SELECT 1 AS x")
    assert "hunter2" not in str(error.value)


def test_a_full_server_is_away_and_not_a_refusal(
    server: Cluster, admin: psycopg.Connection[Any], open_source: Open
) -> None:
    admin.execute(f"DROP ROLE IF EXISTS busy; CREATE ROLE busy LOGIN CONNECTION LIMIT 0 PASSWORD '{PASSWORD}'")
    with pytest.raises(DatabaseUnavailable, match="too many connections"):
        whole(open_source(server.url("production", user="busy")), "SELECT 1 AS x")


def test_a_session_carries_the_runs_name_and_cannot_write(open_source: Open) -> None:
    frame = whole(
        open_source(statement_timeout=77),
        "SELECT current_setting('application_name') AS name, current_setting('transaction_read_only') AS ro, "
        "current_setting('statement_timeout') AS st, current_setting('transaction_isolation') AS iso",
    )
    assert frame.row(0) == ("ks:run:attempt", "on", "77s", "repeatable read")


def test_a_scan_of_much_needs_little_memory(url: str) -> None:
    script = f"""
import polars
from kubescribe.adapters.source.postgres import PostgresSource
source = PostgresSource({url!r}, application_name="ks:memory")
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
query = "SELECT g AS id, repeat(md5(g::text), 10) AS t FROM generate_series(1, :n) g"
for frame in source.read(query, {{"n": 20_000}}, name="q", batch=10_000): pass
before, rows = peak(), 0
for frame in source.read(query, {{"n": 400_000}}, name="q", batch=10_000): rows += frame.height
print(rows, peak() - before)
source.done()
"""
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(".import").absolute())},
    )
    rows, grown = re.findall(r"\d+", found.stdout)
    assert int(rows) == 400_000
    assert int(grown) < 40_000  # KiB, of 130 MB that went through
