"""Checks as they are written, kept and read by people."""

from __future__ import annotations

import msgspec
import pytest

from kubescribe.domain.checks import Check, CheckFailure, between, not_null, rows, sql, unique

ALL: list[tuple[Check, str]] = [
    (unique("origin", "day"), "unique(origin, day)"),
    (not_null("origin"), "not_null(origin)"),
    (rows(min=1), "rows(min=1)"),
    (rows(max=9), "rows(max=9)"),
    (rows(min=0, max=9), "rows(min=0, max=9)"),
    (rows(), "rows()"),
    (between("delay", 0, 1.5), "between(delay, 0, 1.5)"),
    (between("day", "2013-01-01"), "between(day, 2013-01-01, None)"),
    (sql("no ghosts", "SELECT 1"), "sql(no ghosts)"),
]


@pytest.mark.parametrize(("check", "written"), ALL, ids=[written for _, written in ALL])
def test_as_it_was_written(check: Check, written: str) -> None:
    assert str(check) == written


@pytest.mark.parametrize("check", [check for check, _ in ALL], ids=[written for _, written in ALL])
def test_through_json_and_back(check: Check) -> None:
    """The worker declares it, the supervisor runs it; a bound that is a whole number stays one."""
    read = msgspec.json.decode(msgspec.json.encode(check), type=Check)
    assert read == check
    assert repr(read) == repr(check)


def test_a_failure_names_the_rows() -> None:
    failure = CheckFailure(
        report="delays", check="unique(day)", offenders=2, sample=({"day": "1", "n": "2"}, {"day": "3", "n": "2"})
    )
    assert str(failure) == ("report delays: check unique(day) failed for 2 rows, for example: day=1, n=2; day=3, n=2")


def test_a_failure_of_one_row_and_of_none() -> None:
    one = CheckFailure(report="delays", check="not_null(day)", offenders=1)
    assert str(one) == "report delays: check not_null(day) failed for 1 row"
    none = CheckFailure(report="delays", check="rows(min=1)", offenders=None, detail="it has 0 rows")
    assert str(none) == "report delays: check rows(min=1) failed: it has 0 rows"
