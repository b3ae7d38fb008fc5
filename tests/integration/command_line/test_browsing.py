"""Rows and differences as a user has them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import psycopg
import pytest

from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases

pytestmark = pytest.mark.integration


@pytest.fixture
def grown(kubescribe: CommandLine) -> CommandLine:
    """A report of two publications, of three rows each."""
    for first in (1, 11):
        ended = kubescribe("run", "growing", "--param", f"first={first}")
        assert ended.returncode == 0, ended.stderr
    return kubescribe


def ids(text: str) -> list[Any]:
    return [row["id"] for row in msgspec.json.decode(text)]


def test_rows_are_filtered_sorted_and_paged(grown: CommandLine) -> None:
    first = grown("rows", "growing", "--sort", "id desc", "--where", "id>1", "--limit", "3")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["13", "12", "11"]
    cursor = lines[-1].removeprefix("more: --after ")
    second = grown("rows", "growing", "--sort=-id", "--where", "id>1", "--limit", "3", "--after", cursor)
    assert [line.split()[0] for line in second.stdout.splitlines()[1:3]] == ["3", "2"]
    assert "more:" not in second.stdout


def test_rows_as_they_were(grown: CommandLine) -> None:
    ledger = grown.json("reports", "growing")["ledger"]
    new, old = ledger
    assert ids(grown("rows", "growing", "--json").stdout) == ["1", "2", "3", "11", "12", "13"]
    for options in (
        ["--version", str(old["version"])],
        ["--as-of-run", old["run_id"]],
        ["--as-of-run", old["run_id"][-12:]],
    ):
        assert ids(grown("rows", "growing", "--json", *options).stdout) == ["1", "2", "3"]
    assert ids(grown("rows", "growing", "--json", "--limit", "4", "--version", str(new["version"])).stdout)[-1] == "11"
    assert grown("rows", "growing", "--version", "999").returncode == 64


def test_rows_as_files(grown: CommandLine, tmp_path: Path) -> None:
    as_csv = grown("rows", "growing", "--format", "csv", "--columns", "id")
    assert list(csv.reader(io.StringIO(as_csv.stdout))) == [["id"], ["1"], ["2"], ["3"], ["11"], ["12"], ["13"]]
    for kind, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc_stream)):
        ended = grown("rows", "growing", "--format", kind, "--output", f"rows.{kind}")
        assert ended.returncode == 0, ended.stderr
        assert read(tmp_path / f"rows.{kind}").get_column("id").to_list() == [1, 2, 3, 11, 12, 13]
    failed = grown("rows", "growing", "--format", "csv", "--output", "none.csv", KUBESCRIBE_DOWNLOAD_ROWS="5")
    assert (failed.returncode, "more than 5 rows" in failed.stderr) == (64, True)
    assert sorted(path.name for path in tmp_path.iterdir() if "csv" in path.name) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--where", "x=1"], "no column 'x'"),
        (["--where", "id=x"], "a whole number"),
        (["--where", "id"], "is no condition"),
        (["--limit", "0"], "less than 1"),
        (["--limit", "501"], "1 to 500"),
        (["--after", "x"], "cursor"),
        (["--as-of-run", "beef"], "published nothing"),
        (["--output", "x"], "--format"),
        (["--format", "csv", "--output", "no/such/folder"], "cannot be written"),
    ],
)
def test_bad_questions_end_with_64(grown: CommandLine, options: list[str], words: str) -> None:
    ended = grown("rows", "growing", *options)
    assert (ended.returncode, words in ended.stderr) == (64, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_two_versions_are_compared(grown: CommandLine) -> None:
    new, old = (one["version"] for one in grown.json("reports", "growing")["ledger"])
    told = grown("diff", "growing", str(old), str(new))
    assert told.returncode == 0, told.stderr
    assert "3 rows added, 0 removed" in told.stdout
    found = grown.json("diff", "growing", str(old))
    assert (found["rows_before"], found["rows_after"], found["added"], found["equal"]) == (3, 6, 3, False)
    assert "There is no difference." in grown("diff", "growing", str(new), str(new)).stdout
    assert grown("diff", "growing", str(old), "999").returncode == 64


def test_a_login_that_only_reads(grown: CommandLine, databases: ThreeDatabases) -> None:
    with psycopg.connect(databases.report, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS browsing_login")
        admin.execute("CREATE ROLE browsing_login LOGIN PASSWORD 'canary-7' IN ROLE kubescribe_reader")
        url = databases.report.replace("kubescribe@", "browsing_login:canary-7@")
        assert url != databases.report
        ended = grown("rows", "growing", "--json", REPORT_READER_DB_URL=url)
        assert ended.returncode == 0, ended.stderr
        assert len(ids(ended.stdout)) == 6
        admin.execute("DROP ROLE browsing_login")
        gone = grown("rows", "growing", "--json", REPORT_READER_DB_URL=url)
        assert gone.returncode == 64
        assert "canary" not in gone.stderr + gone.stdout
    alone = grown("rows", "growing", REPORT_READER_DB_URL=url, REPORT_DB_URL="")
    assert (alone.returncode, "REPORT_DB_URL is not set" in alone.stderr) == (64, True)
