"""A report's name and its schema's fingerprint."""

from __future__ import annotations

from itertools import combinations
from uuid import UUID

import pytest

from kubescribe.domain.errors import BadDeclaration
from kubescribe.domain.report import Column, ReportSpec, Staged, schema_fingerprint

COLUMNS = (Column("origin", "text"), Column("delay", "double precision"))


@pytest.mark.parametrize("name", ["a", "_a", "airport_delays", "r2", "a" * 63])
def test_good_names(name: str) -> None:
    assert ReportSpec(name=name).name == name


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a.b", 'a"b', "a;b", "é", "a b", "a\n", "a" * 64])
def test_names_that_would_need_quotes(name: str) -> None:
    with pytest.raises(BadDeclaration, match="cannot name a report") as raised:
        ReportSpec(name=name)
    assert repr(name) in str(raised.value)


def test_the_fingerprint_tells_every_difference() -> None:
    schemas = [
        (),
        COLUMNS,
        COLUMNS[::-1],
        COLUMNS[:1],
        (Column("origin", "text"), Column("delay", "real")),
        (Column("origin", "text"), Column("late", "double precision")),
        # Nothing can be moved from a name to a type, or over a column's border.
        (Column("origint", "ext"), Column("delay", "double precision")),
        (Column("origin", "text delay"), Column("", "double precision")),
    ]
    for one, other in combinations(schemas, 2):
        assert schema_fingerprint(one) != schema_fingerprint(other)
    assert schema_fingerprint(COLUMNS) == schema_fingerprint(tuple(COLUMNS))
    assert len(schema_fingerprint(COLUMNS)) == 16
    assert int(schema_fingerprint(COLUMNS), 16)


def test_the_fingerprint_stays_the_same_for_ever() -> None:
    """It is compared with what is on record."""
    assert schema_fingerprint(COLUMNS) == FINGERPRINT


FINGERPRINT = "5a840de41d6d7ac4"


def test_staged_rows_know_theirs() -> None:
    staged = Staged(
        spec=ReportSpec(name="delays"),
        run_id=UUID(int=1),
        attempt_id=UUID(int=2),
        version=1,
        rows=0,
        bytes=0,
        checksum="blake2b:",
        columns=COLUMNS,
        seconds=0.1,
    )
    assert staged.fingerprint == schema_fingerprint(COLUMNS)
