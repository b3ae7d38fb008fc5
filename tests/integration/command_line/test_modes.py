"""Publication modes, rollback and verification as a user has them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases

pytestmark = pytest.mark.integration


def ids(databases: ThreeDatabases) -> list[int]:
    with psycopg.connect(databases.report) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM reports.growing ORDER BY id")]


def publish(kubescribe: CommandLine, first: int, **parameters: str) -> Any:
    options = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
    return kubescribe("run", "growing", "--param", f"first={first}", *options)


def test_a_report_grows_is_verified_and_rolled_back(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    for first in (1, 11):
        ended = publish(kubescribe, first)
        assert ended.returncode == 0, ended.stderr
    report = kubescribe.json("reports", "growing")["report"]
    assert (report["mode"], report["current"]["total"], len(report["versions"])) == ("append", 6, 2)
    shown = kubescribe("reports", "growing").stdout
    assert "6 rows" in shown
    assert "+3" in shown
    assert "append" in kubescribe("reports").stdout

    again = publish(kubescribe, 12)
    assert again.returncode == 65
    assert "unique(id) failed: the report has rows of this key already for 2 rows, for example: id=12" in again.stderr
    assert kubescribe.newest()["run"]["cause"] == "precondition"

    verified = kubescribe("verify", "growing")
    assert (verified.returncode, verified.stdout.split(":")[0]) == (0, "growing is as it was published")
    rolled_back = kubescribe("rollback", "growing", "--reason", "too early")
    assert rolled_back.returncode == 0
    assert "(3 rows)" in rolled_back.stdout
    assert ids(databases) == [1, 2, 3]
    found = kubescribe.json("verify", "growing")
    assert (found["equal"], found["rows"], found["differences"]) == (True, 3, [])


def test_a_report_that_was_changed_by_hand(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    assert publish(kubescribe, 1, mode="merge").returncode == 0
    assert publish(kubescribe, 2, mode="merge").returncode == 0
    assert ids(databases) == [1, 2, 3, 4]
    with psycopg.connect(databases.report) as connection:
        connection.execute("UPDATE reports.growing__versions SET half = 7 WHERE id = 1")
    ended = kubescribe("verify", "growing")
    assert ended.returncode == 65
    assert "growing is not as it was published" in ended.stdout
    assert "the checksum is rowsum:" in ended.stdout
    assert kubescribe("verify", "growing", "--json").returncode == 65
    refused = kubescribe("rollback", "growing")
    assert refused.returncode == 64
    assert "published in mode merge, which overwrites rows in place" in refused.stderr


def test_a_report_whose_columns_and_mode_change(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    assert publish(kubescribe, 1).returncode == 0
    assert publish(kubescribe, 11, text="new").returncode == 0
    narrower = publish(kubescribe, 21)
    assert narrower.returncode == 65
    assert "column text is missing" in narrower.stderr
    other = publish(kubescribe, 21, text="x", mode="replace_partition")
    assert other.returncode == 65
    assert "it is published in mode append, and not replace_partition" in other.stderr
    anew = publish(kubescribe, 21, mode="replace_partition", schema="recreate")
    assert anew.returncode == 0, anew.stderr
    assert ids(databases) == [21, 22, 23]
    assert publish(kubescribe, 22, mode="replace_partition").returncode == 0
    assert ids(databases) == [21, 22, 23, 24]
    assert kubescribe("verify", "growing").returncode == 0


def test_a_copy_in_each_mode_and_what_is_refused(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    def copy(first: int, **parameters: str) -> Any:
        options = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
        return kubescribe("run", "growing_copy", "--param", f"first={first}", *options)

    assert copy(1).returncode == 0
    assert copy(4).returncode == 0
    assert ids(databases) == [1, 2, 3, 4, 5, 6]
    again = copy(6)
    assert again.returncode == 65
    assert "unique(id) failed: the report has rows of this key already" in again.stderr
    other = copy(6, mode="merge")
    assert other.returncode == 65
    assert "it is published in mode append, and not merge" in other.stderr
    assert copy(6, mode="merge", schema="recreate").returncode == 0
    assert copy(7, mode="merge").returncode == 0
    assert ids(databases) == [6, 7, 8, 9]
    assert copy(6, mode="replace_partition", schema="recreate").returncode == 0
    assert copy(7, mode="replace_partition").returncode == 0
    assert ids(databases) == [7, 8, 9]
    assert kubescribe("verify", "growing").returncode == 0
    unknown = copy(7, mode="overwrite")
    assert unknown.returncode != 0
    assert "overwrite" in unknown.stderr


def test_a_report_that_is_not_there(kubescribe: CommandLine) -> None:
    ended = kubescribe("verify", "nobody")
    assert ended.returncode == 64
    assert "there is no report nobody" in ended.stderr
