"""A report database in trouble, as a user sees it: a sentence, an exit code, the old report, and later the new one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.small_space import SmallSpace, small_tablespace
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

COMMANDS = {
    "pipeline": ("run", "growing", "--param", "first=1", "--param", "mode=replace"),
    "copy": ("run", "copied", "--param", "rows=5"),
    "file": ("publish", "file", "-", "--key", "id"),
}
REPORTS = {"pipeline": "growing", "copy": "copied", "file": "file"}
CSV = "id,text\n1,a\n2,\n"


@pytest.fixture
def space(cluster: Cluster, databases: ThreeDatabases) -> Iterator[SmallSpace]:
    """New tables of the report database go to a file system of 8 MiB."""
    with small_tablespace(cluster, databases.report.rpartition("/")[2]) as space:
        yield space


def shown(databases: ThreeDatabases, report: str) -> list[int]:
    with psycopg.connect(databases.report) as connection:
        return [row[0] for row in connection.execute(f"SELECT id FROM reports.{report} ORDER BY id".encode())]


@pytest.mark.parametrize("what", COMMANDS)
def test_no_space(kubescribe: CommandLine, databases: ThreeDatabases, space: SmallSpace, what: str) -> None:
    command, report = COMMANDS[what], REPORTS[what]
    assert kubescribe(*command, standard_input=CSV).returncode == 0
    before = shown(databases, report)
    space.fill()
    ended = kubescribe(*command, standard_input=CSV)
    assert ended.returncode == 75, ended.stderr
    assert "free space on the server's disk; what was published before is untouched" in ended.stderr
    record = kubescribe.newest()
    assert record["run"]["status"] == "failed"
    assert "free space" in record["run"]["message"]
    assert record["attempts"][-1]["certificate"]["exit_code"] == 75
    assert shown(databases, report) == before
    space.free()
    again = kubescribe(*command, standard_input=CSV)
    assert again.returncode == 0, again.stderr
    assert shown(databases, report) == before


def test_more_rows_than_there_is_space_for(
    kubescribe: CommandLine, databases: ThreeDatabases, space: SmallSpace
) -> None:
    assert kubescribe(*COMMANDS["copy"]).returncode == 0
    ended = kubescribe("run", "copied", "--param", "rows=20000", "--retries", "1")
    assert ended.returncode == 75, ended.stderr
    assert len(kubescribe.newest()["attempts"]) == 2  # what is temporary is tried again
    assert shown(databases, "copied") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("what", COMMANDS)
def test_no_writes(kubescribe: CommandLine, databases: ThreeDatabases, what: str) -> None:
    command, report = COMMANDS[what], REPORTS[what]
    assert kubescribe(*command, standard_input=CSV).returncode == 0
    before, name = shown(databases, report), databases.report.rpartition("/")[2]
    with psycopg.connect(databases.runlog, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        ended = kubescribe(*command, standard_input=CSV)
        assert ended.returncode == 64, ended.stderr
        assert "point REPORT_DB_URL at the primary" in ended.stderr
        assert shown(databases, report) == before
        connection.execute(f"ALTER DATABASE {name} RESET ALL".encode())
    assert kubescribe(*command, standard_input=CSV).returncode == 0


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_a_table_that_is_loaded_anew_meanwhile_is_no_empty_report(
    kubescribe: CommandLine, databases: ThreeDatabases, mode: str
) -> None:
    """A run that waits for a nightly load has a snapshot from before it, which no longer shows a row."""
    with psycopg.connect(databases.production) as loading:
        loading.execute("CREATE TABLE numbers AS SELECT generate_series(1, 3) AS id")
        loading.commit()
        options = ("run", "copied", "--param", "rows=100", "--param", "table=numbers", "--param", f"mode={mode}")
        assert kubescribe(*options).returncode == 0
        loading.execute("TRUNCATE numbers")
        waiting = kubescribe.start(*options)
        with psycopg.connect(databases.runlog, autocommit=True) as looking:
            wait_for(lambda: bool(looking.execute(_WAITING).fetchall()), "the run to wait for the load", timeout=30)
        loading.execute("INSERT INTO numbers SELECT generate_series(11, 15)")
        loading.commit()
        assert waiting.wait(60) == 75
    assert shown(databases, "copied") == [1, 2, 3]
    assert "numbers was truncated, rewritten" in kubescribe.newest()["run"]["message"]
    assert kubescribe(*options).returncode == 0
    assert shown(databases, "copied")[-5:] == [11, 12, 13, 14, 15]


_WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'ks:%'"
