"""Names and tags of downloads."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from tests.support.payloads import injections

from kubescribe.application.ports.report_reader import ReportVersion
from kubescribe.application.report_download import content_disposition, etag, matches
from kubescribe.domain.report import Column, Publication
from kubescribe.domain.report_query import Filter, Operator, RowQuery, Sort

COLUMNS = (Column("k", "bigint"), Column("t", "text"))
SOURCE = ReportVersion(
    report="r",
    publication=Publication(
        report="r",
        run_id=UUID(int=7),
        version=3,
        rows=1,
        checksum="",
        fingerprint="",
        actor="me",
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
    ),
    columns=COLUMNS,
    state="3",
    fixed=True,
    rows=1,
)


def test_a_tag_is_of_the_rows_and_of_what_is_asked() -> None:
    asked = RowQuery(report="r")
    tags = {
        etag(SOURCE, COLUMNS, asked, "csv", 50, None),
        etag(SOURCE, COLUMNS, asked, "json", 50, None),
        etag(SOURCE, COLUMNS, asked, "csv", 51, None),
        etag(SOURCE, COLUMNS, asked, "csv", 50, "cursor"),
        etag(SOURCE, COLUMNS[:1], asked, "csv", 50, None),
        etag(msgspec.structs.replace(SOURCE, state="3-x"), COLUMNS, asked, "csv", 50, None),
        etag(SOURCE, COLUMNS, RowQuery(report="r", sort=(Sort("k"),)), "csv", 50, None),
        etag(SOURCE, COLUMNS, RowQuery(report="r", filters=(Filter("k", Operator.EQ, ("1",)),)), "csv", 50, None),
    }
    assert len(tags) == 8
    assert all(re.fullmatch(r'"[0-9a-f]{32}"', tag) for tag in tags)
    assert etag(SOURCE, COLUMNS, RowQuery(report="r", version=3), "csv", 50, None) in tags


@pytest.mark.parametrize(
    ("header", "has"),
    [
        (None, False),
        ("", False),
        ("*", True),
        (' "a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b"', False),
        ("a", False),
        ('"a', False),
        ('"aa"', False),
    ],
)
def test_what_a_client_has(header: str | None, has: bool) -> None:
    assert matches(header, '"a"') is has


def test_a_file_is_named_after_report_and_version() -> None:
    assert content_disposition("airports", 7, "csv") == 'attachment; filename="airports_v7.csv"'


def test_no_name_gets_out_of_the_header() -> None:
    odd = ['x"; filename="evil.exe', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "é", "\ud800", "\0", "", "a" * 9999]
    for name in (*odd, *injections(2000)):
        header = content_disposition(name, 1, "csv")
        assert re.fullmatch(
            r"attachment; filename=\"[A-Za-z0-9_-][A-Za-z0-9._-]*\""
            r"(?:; filename\*=UTF-8''(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)?",
            header,
        ), header
        assert len(header) < 2000
        assert "%2F" not in header and "%5C" not in header and "%00" not in header
