"""One snapshot for all reads: the same moment, or an error that says why not."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from tests.support.clusters import Cluster
from tests.support.waiting import wait_for

from kubescribe.domain.errors import DatabaseUnavailable, QueryFailed, SnapshotLost

from .conftest import Open

pytestmark = pytest.mark.integration

COUNT = "SELECT count(*) AS n FROM t"
OURS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ks:run:attempt' ORDER BY backend_start"


@pytest.fixture(autouse=True)
def table(admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE TABLE t AS SELECT g AS id, repeat('x', 100) AS filler FROM generate_series(1, 50000) g")


def count(source: Any) -> int:
    (frame,) = source.read(COUNT, {}, name="t", batch=None)
    return int(frame.item())


def test_a_commit_between_two_reads_is_not_seen(admin: psycopg.Connection[Any], open_source: Open) -> None:
    run, read = open_source(), open_source(snapshot="read")
    assert (count(run), count(read)) == (50_000, 50_000)
    admin.execute("INSERT INTO t VALUES (0)")
    assert (count(run), count(read)) == (50_000, 50_001)


def test_scans_interleave_and_threads_share_the_snapshot(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source()
    query = "SELECT id FROM t ORDER BY id"
    scans = [iter(source.read(query, {}, name=f"q{i}", batch=20_000)) for i in range(3)]
    admin.execute("DELETE FROM t WHERE id % 2 = 0")
    seen: list[list[int]] = [[], [], []]

    def drain(i: int) -> None:
        for frame in scans[i]:
            seen[i].extend(frame["id"].to_list())

    threads = [threading.Thread(target=drain, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [list(range(1, 50_001))] * 3


def test_a_killed_holder_is_never_replaced(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source()
    assert count(source) == 50_000
    wait_for(lambda: len(admin.execute(OURS).fetchall()) == 1, "the read's own session to end")
    admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'ks:run:attempt'"
    )
    for _ in range(2):
        with pytest.raises(SnapshotLost, match=r"run.source_done\(\)"):
            count(source)


def test_a_scan_under_way_outlives_the_holder(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source()
    scan = iter(source.read("SELECT id FROM t", {}, name="t", batch=10_000))
    next(scan)
    holder = admin.execute(OURS).fetchall()[0][0]
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [holder])
    assert sum(frame.height for frame in scan) == 40_000  # its own transaction holds the same moment
    with pytest.raises(SnapshotLost):
        count(source)


def test_a_snapshot_gets_too_old(open_source: Open) -> None:
    now = 0.0
    source = open_source(snapshot_max_age=900, clock=lambda: now)
    scan = iter(source.read("SELECT id FROM t", {}, name="t", batch=10_000))
    next(scan)
    now = 900.0
    next(scan)
    assert count(source) == 50_000
    now = 901.0
    with pytest.raises(SnapshotLost, match="it is 901 s old, and may be 900 s"):
        next(scan)
    now = 0.0
    with pytest.raises(SnapshotLost, match="901 s old"):
        count(source)  # lost is lost


def test_the_server_ends_a_holder_that_idles_for_too_long(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source(snapshot_max_age=0.2, clock=lambda: 0.0)  # a worker that was stopped has no clock
    assert count(source) == 50_000
    wait_for(lambda: not admin.execute(OURS).fetchall(), "the server to end the holder")
    with pytest.raises(SnapshotLost):
        count(source)


def test_the_server_ends_a_copy_that_nobody_takes_for_too_long(
    admin: psycopg.Connection[Any], open_source: Open
) -> None:
    now = 0.0
    source = open_source(snapshot="read", snapshot_max_age=0.2, clock=lambda: now)
    much = "SELECT repeat('x', 10000) AS t FROM generate_series(1, 10000) g"  # more than waits on the way
    # Several, because the limit on the transaction ends one by chance: where it waits for the network at that moment
    # it does not hear of it.
    scans = [iter(source.read(much, {}, name="much", batch=100)) for _ in range(6)]
    for scan in scans:
        next(scan)
    wait_for(lambda: not admin.execute(OURS).fetchall(), "the server to end the sessions")
    now = 1.3
    for scan in scans:
        with pytest.raises(SnapshotLost, match="it is 1 s old"):
            list(scan)


def test_a_restarted_server_has_lost_the_snapshot(server: Cluster, open_source: Open) -> None:
    source = open_source()
    assert count(source) == 50_000
    server.crash()
    try:
        with pytest.raises(DatabaseUnavailable):
            count(source)
    finally:
        server.start()
    with pytest.raises(SnapshotLost):
        count(source)


def test_another_sessions_snapshot_of_the_same_id_is_not_taken(open_source: Open, url: str) -> None:
    source = open_source()
    assert count(source) == 50_000
    with psycopg.connect(url) as other:
        row = other.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        assert source._snapshot is not None and source._holder is not None
        # As after a crash: ids begin again, and somebody else's is the one that our holder had.
        source._snapshot = (row[0], source._snapshot[1])
        source._holder.close()
        with pytest.raises(SnapshotLost):
            count(source)


def test_done_leaves_no_session(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source()
    much = "SELECT repeat('x', 10000) AS t FROM generate_series(1, 10000) g"  # more than is read ahead
    scan = iter(source.read(much, {}, name="t", batch=10))
    next(scan)
    source.read(much, {}, name="never iterated", batch=10)
    # a session that hands its snapshot over to another ends meanwhile
    wait_for(lambda: len(admin.execute(OURS).fetchall()) == 3, "one session for each and the holder's")
    source.done()
    wait_for(lambda: not admin.execute(OURS).fetchall(), "the sessions to end")
    with pytest.raises(QueryFailed, match="source_done"):
        next(scan)


def test_a_scan_that_is_left_ends_its_session(admin: psycopg.Connection[Any], open_source: Open) -> None:
    source = open_source(snapshot="read")
    for _ in source.read("SELECT id FROM t", {}, name="t", batch=10):
        break
    wait_for(lambda: not admin.execute(OURS).fetchall(), "the session to end")
