"""Tables that change under a snapshot in ways that it does not protect from: an error, and never fewer rows."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from tests.support.waiting import wait_for

from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.adapters.source.rendering import Asked
from kubescribe.domain.errors import KubescribeError, TablesChanged
from kubescribe.domain.exit_code import ExitCode

from .conftest import Open

pytestmark = pytest.mark.integration

TABLES = """
CREATE TABLE t AS SELECT g AS id, repeat('x', 3000) AS filler, g % 3 AS part FROM generate_series(1, 9) g;
CREATE INDEX i ON t (id); CREATE SEQUENCE s;
CREATE TABLE parts (id int, part int) PARTITION BY LIST (part);
CREATE TABLE part_0 PARTITION OF parts FOR VALUES IN (0); CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts SELECT id, part FROM t WHERE part < 2;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM t; CREATE VIEW seen AS SELECT id, filler FROM t;
CREATE MATERIALIZED VIEW other AS SELECT 1 AS id
"""
REWRITTEN = [
    ("TRUNCATE t", "seen", "t"),
    ("TRUNCATE t; INSERT INTO t SELECT 1, '', 0", "t", "t"),
    ("ALTER TABLE t ADD COLUMN more float8 DEFAULT random()", "t", "t"),
    ("ALTER TABLE t ALTER part TYPE text", "t", "t"),
    ("CREATE TABLE n AS SELECT 1 AS id; ALTER TABLE t RENAME TO o; ALTER TABLE n RENAME TO t", "t", "t"),
    ("ALTER TABLE t SET UNLOGGED", "t", "t"),
    ("REFRESH MATERIALIZED VIEW kept", "kept", "kept"),
    ("DROP TABLE part_1", "parts", "parts"),
    ("ALTER TABLE parts DETACH PARTITION part_1", "parts", "parts"),
    ("TRUNCATE part_1", "parts", "part_1"),
    ("VACUUM FULL t", "t", "t"),  # no row is lost, which cannot be told from the others
]
"""What is done after the snapshot, what is read, and which table the error has to name."""
HARMLESS = [
    ("INSERT INTO t SELECT 100, '', 0", "t", 9),
    ("DELETE FROM t", "t", 9),
    ("UPDATE t SET part = 0", "t", 9),
    ("ALTER TABLE t ADD COLUMN more int DEFAULT 5", "t", 9),
    ("ALTER TABLE t DROP COLUMN filler CASCADE", "t", 9),
    ("ALTER TABLE t RENAME COLUMN filler TO other", "t", 9),
    ("ALTER TABLE t RENAME TO o; CREATE VIEW t AS SELECT * FROM o", "t", 9),
    ("REINDEX TABLE t", "t WHERE id < 9", 8),
    ("CREATE INDEX j ON t (part)", "t WHERE part = 1", 3),
    ("CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2); INSERT INTO parts VALUES (9, 2)", "parts", 6),
    ("REFRESH MATERIALIZED VIEW kept", "t", 9),
    ("TRUNCATE part_1", "part_0", 3),
    ("ALTER SEQUENCE s RESTART", "s", 1),
    ("VACUUM t; ANALYZE t", "t", 9),
]


@pytest.fixture(autouse=True)
def tables(admin: psycopg.Connection[Any]) -> None:
    admin.execute(TABLES)


def executed(admin: psycopg.Connection[Any], statements: str) -> None:
    for statement in statements.split("; "):
        admin.execute(statement.encode())


def rows(source: PostgresSource, way: str, what: str) -> int:
    """How many there are, brought in one of three ways."""
    query = f"SELECT 1 AS x FROM {what}"
    if way == "copy":
        relay = source.relay(query, {}, name="q")
        for _ in relay:
            pass
        return relay.record().rows
    return sum(frame.height for frame in source.read(query, {}, name="q", batch=4 if way == "scan" else None))


@pytest.mark.parametrize("way", ["read", "scan", "copy"])
@pytest.mark.parametrize(("statements", "read", "named"), REWRITTEN)
def test_rows_that_a_snapshot_has_lost_are_an_error(
    admin: psycopg.Connection[Any], open_source: Open, statements: str, read: str, named: str, way: str
) -> None:
    source = open_source()
    assert rows(source, "read", "other") == 1
    executed(admin, statements)
    with pytest.raises(TablesChanged, match=f"query q: {named} was truncated, rewritten, replaced") as error:
        rows(source, way, read)
    assert error.value.exit_code == ExitCode.TEMPORARY
    assert rows(open_source(), way, read) >= 0  # another run sees another moment


@pytest.mark.parametrize(("statements", "read", "expected"), HARMLESS)
def test_what_a_snapshot_sees_through_is_none(
    admin: psycopg.Connection[Any], open_source: Open, statements: str, read: str, expected: int
) -> None:
    source = open_source()
    assert rows(source, "read", "other") == 1
    executed(admin, statements)
    assert {rows(source, way, read) for way in ("read", "scan", "copy")} == {expected}


@pytest.mark.parametrize("snapshot", ["run", "read"])
@pytest.mark.parametrize("way", ["read", "scan", "copy"])
def test_a_nightly_load_that_the_query_waits_for_does_not_make_it_empty(
    admin: psycopg.Connection[Any], url: str, open_source: Open, way: str, snapshot: str
) -> None:
    ended: list[int | KubescribeError] = []

    def read() -> None:
        try:
            ended.append(rows(open_source(snapshot=snapshot), way, "t"))
        except KubescribeError as error:
            ended.append(error)

    thread = threading.Thread(target=read)
    with psycopg.connect(url) as loading:
        loading.execute("TRUNCATE t")
        thread.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_for(lambda: admin.execute(waiting).fetchone() == (1,), "the query to wait for the load")
        loading.execute("INSERT INTO t SELECT g, '', 0 FROM generate_series(1, 5) g")
    thread.join(30)
    assert [type(one) for one in ended] == [TablesChanged]


def test_a_cursor_looks_too(admin: psycopg.Connection[Any], open_source: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asked, "with_literals", lambda self, connection: None)
    source = open_source()
    assert rows(source, "read", "other") == 1
    admin.execute("TRUNCATE t")
    with pytest.raises(TablesChanged):
        rows(source, "read", "t")
