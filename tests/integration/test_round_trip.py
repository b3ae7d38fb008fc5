"""From production into a report, as frames or as bytes: what SQL's own copy holds, or a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from kubescribe.domain.errors import ReportMismatch, UnsupportedType
from kubescribe.domain.report import ReportSpec
from tests.support.both_databases import Both, same
from tests.support.clusters import Cluster
from tests.support.report_database import ReportServer
from tests.support.server_types import KINDS, TYPES, tables

pytestmark = pytest.mark.integration

NOT_RELAYED = {"money", "pair", "regclass"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        yield cluster


@pytest.fixture(scope="module")
def both(cluster: Cluster) -> Iterator[Both]:
    both = Both(cluster, TYPES)
    yield both
    both.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(query=tables())
def test_frames_bring_what_sql_copies(both: Both, query: str) -> None:
    types, rows = both.copied_by_sql(query)
    try:
        staged = both.by_frames(query)
    except UnsupportedType as refusal:
        assert "which cannot be kept exactly" in str(refusal)
        assert "::text" in str(refusal) or "CAST(" in str(refusal)
        return
    _, found = both.held(staged)
    assert len(found) == len(rows) == staged.rows
    for expected, row in zip(rows, found, strict=True):
        for (_, kind), one, other in zip(types, expected, row, strict=True):
            assert same(one, other, kind), (kind, one, other)
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    both.drop(staged)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(query=tables())
def test_bytes_bring_what_sql_copies(both: Both, query: str) -> None:
    types, rows = both.copied_by_sql(query)
    try:
        staged = both.by_bytes(query)
    except UnsupportedType as refusal:
        assert NOT_RELAYED & {kind for _, kind in types}, refusal
        return
    found_types, found = both.held(staged)
    assert found == rows
    assert found_types == [(name, "text" if kind == "mood" else kind) for name, kind in types]
    assert found_types == [(column.name, column.type) for column in staged.columns]
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    both.drop(staged)


def test_every_type_but_these_is_relayed(both: Both) -> None:
    refused = set()
    for kind in KINDS:
        try:
            both.drop(both.by_bytes(f"SELECT CAST(NULL AS {kind}) AS x"))
        except UnsupportedType as refusal:
            assert "cast it, like x::text" in str(refusal)
            refused.add(kind)
    assert refused == NOT_RELAYED


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT ROW(1, 'x') AS x", "column x has type record"),
        ("SELECT ARRAY['happy'::mood] AS x", r"column x has type mood\[\]"),
        ("SELECT NULL::xml AS x", "column x has type xml"),
    ],
)
def test_a_type_whose_bytes_mean_nothing_elsewhere_is_refused(both: Both, query: str, message: str) -> None:
    with pytest.raises(UnsupportedType, match=message):
        both.by_bytes(query)


def test_a_name_that_no_report_can_have_is_refused(both: Both) -> None:
    with pytest.raises(ReportMismatch, match="a column cannot be called _version"):
        both.by_bytes("SELECT 1 AS _version")


def test_much_is_relayed_in_pieces_and_counted(both: Both) -> None:
    query = "SELECT g, repeat(md5(g::text), 20) AS t FROM generate_series(1, :n) g"
    rows = both.source.relay(query, {"n": 20_000}, name="q")
    staged = both.staging.relay(ReportSpec(name="there", key=("g",)), rows, run_id=uuid4(), attempt_id=uuid4())
    assert (staged.rows, staged.bytes) == (rows.record().rows, rows.record().bytes) == (20_000, staged.bytes)
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    assert rows.record().snapshot is not None
    both.drop(staged)


def test_an_array_that_no_longer_holds_a_null_has_the_checksum_of_what_is_held(both: Both) -> None:
    query = "SELECT array_replace(ARRAY[1, NULL, 3], NULL, 2) AS a"  # still marked as one that may hold nulls
    staged = both.by_bytes(query)
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    both.drop(staged)


def test_nothing_is_staged_of_a_query_that_fails_halfway(both: Both) -> None:
    with pytest.raises(Exception, match="division by zero"):
        both.by_bytes("SELECT 1 / (50000 - g) AS x FROM generate_series(1, 60000) g")
    assert both.admin.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'there%'").fetchone() == (0,)
