"""``kubescribe publish``: a file becomes a report, by a recorded run like any other."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases

pytestmark = pytest.mark.integration

CSV = 'id,zip,price,open,name\n1,007,1.5,true,"a,""b"""\n2,100,,false,\n3,000,2e3,true,""\n'


def published(databases: ThreeDatabases, report: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(databases.report) as connection:
        return connection.execute(f"SELECT * FROM reports.{report} ORDER BY 1".encode()).fetchall()


def test_a_csv_file_is_published(kubescribe: CommandLine, databases: ThreeDatabases, tmp_path: Path) -> None:
    (tmp_path / "shops.csv").write_text(CSV)
    ended = kubescribe("publish", "shops", "shops.csv", "--key", "id", "--name", "nightly-shops", "--reason", "why not")
    assert ended.returncode == 0, ended.stderr
    assert "published shops version" in ended.stderr
    assert published(databases, "shops") == [
        (1, "007", 1.5, True, 'a,"b"'),
        (2, "100", None, False, None),
        (3, "000", 2000.0, True, ""),
    ]
    record = kubescribe.newest()
    assert (record["run"]["pipeline"], record["run"]["status"]) == ("nightly-shops", "succeeded")
    assert record["run"]["parameters"] == {"report": "shops", "file": "shops.csv", "key": ["id"]}


def test_standard_input_is_csv(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    ended = kubescribe("publish", "shops", "-", standard_input=CSV)
    assert ended.returncode == 0, ended.stderr
    assert len(published(databases, "shops")) == 3
    record = kubescribe.newest()
    assert (record["run"]["pipeline"], record["run"]["parameters"]["file"]) == ("shops", "-")


def test_a_parquet_file_keeps_its_types(kubescribe: CommandLine, databases: ThreeDatabases, tmp_path: Path) -> None:
    frame = pl.DataFrame({"day": [date(2013, 1, 1)], "sum": [Decimal("1.10")], "raw": [b"\0"]})
    frame.write_parquet(tmp_path / "days.parquet")
    assert kubescribe("publish", "days", str(tmp_path / "days.parquet")).returncode == 0
    assert published(databases, "days") == frame.rows()
    frame.clear().write_parquet(tmp_path / "days.parquet")
    assert kubescribe("publish", "days", str(tmp_path / "days.parquet")).returncode == 0
    assert published(databases, "days") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shops", "nowhere.csv"), "nowhere.csv cannot be read: No such file"),
        (("shops", "shops.xlsx"), "shops.xlsx is neither .parquet nor .csv"),
        (("Shops", "-"), "'Shops' cannot name a report"),
        (("shops", "-", "--name", "Ü"), "cannot be a name"),
        (("shops",), "required: file"),
    ],
)
def test_what_cannot_even_begin(kubescribe: CommandLine, arguments: tuple[str, ...], message: str) -> None:
    ended = kubescribe("publish", *arguments, standard_input=CSV)
    assert ended.returncode == 64
    assert message in ended.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be published"),
        ("a,b\n1,2,3\n", "cannot be published"),
        ("a,a\n1,2\n", "several columns called a"),
        ("a,_version\n1,2\n", "a column cannot be called _version"),
        ("a\n1\n1\n", "a"),
        ("b\n1\n", "the key's column a is missing"),
    ],
)
def test_a_bad_file_is_a_sentence_and_the_old_report_stays(
    kubescribe: CommandLine, databases: ThreeDatabases, content: str, message: str
) -> None:
    assert kubescribe("publish", "shops", "-", "--key", "a", standard_input="a\n1\n2\n").returncode == 0
    ended = kubescribe("publish", "shops", "-", "--key", "a", standard_input=content)
    assert ended.returncode == 65, ended.stderr
    assert message in kubescribe.newest()["run"]["message"]
    assert published(databases, "shops") == [(1,), (2,)]


def test_a_parquet_file_that_is_none(kubescribe: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    ended = kubescribe("publish", "shops", "rows.parquet")
    assert ended.returncode == 65
    assert "rows.parquet cannot be published: " in ended.stderr
