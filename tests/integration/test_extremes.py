"""Every type and its extremes, one by one: what SQL's own INSERT … SELECT holds, or a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubescribe.domain.errors import UnsupportedType
from tests.support.both_databases import Both, same
from tests.support.clusters import Cluster
from tests.support.report_database import ReportServer
from tests.support.server_extremes import EXTREMES, SETUP, Beyond

pytestmark = pytest.mark.integration

NOT_RELAYED = {"money", "jsonpath", "xml", "pair", "pairs", "label", "mood[]", "pair[]", "floats", "xid"} | {
    "regclass",
    "regtype",
    "tsquery",
}
AS_BASE = {"moods": "text", "mood": "text", "positive": "integer", "price": "numeric(9,2)", "ints": "integer[]"}
"""What enums and domains are relayed as."""


@pytest.fixture(scope="module", params=["bundled", "system"])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    """Two releases of PostgreSQL."""
    if request.param == "system" and not Cluster.ssl_available():
        pytest.skip("no PostgreSQL of the system's")
    with Cluster(ssl=request.param == "system") as cluster:
        ReportServer.prepare(cluster)
        both = Both(cluster, SETUP)
        yield both
        both.close()


def given(both: Both, kind: str) -> None:
    """A table of one column of the type, with a row for each value and one without."""
    both.production.execute(f"DROP TABLE IF EXISTS given; CREATE TABLE given (n int, x {kind})".encode())
    for n, value in enumerate([*EXTREMES[kind], "NULL"]):
        both.production.execute(f"INSERT INTO given VALUES ({n}, CAST({value} AS {kind}))".encode())


@pytest.mark.parametrize("kind", EXTREMES)
def test_it_comes_as_sql_copies_it_or_is_refused(both: Both, kind: str) -> None:
    given(both, kind)
    for n, value in enumerate(EXTREMES[kind]):
        query = f"SELECT n, x FROM given WHERE n IN ({n}, {len(EXTREMES[kind])}) ORDER BY n"
        if isinstance(value, Beyond):
            with pytest.raises(UnsupportedType, match=r"column x has type .* which cannot be kept exactly; "):
                both.by_frames(query)
            continue
        _, rows = both.copied_by_sql(query)
        staged = both.by_frames(query)
        (_, (_, held)), found = both.held(staged)
        assert len(found) == len(rows) == 2
        for (_, expected), (_, came) in zip(rows, found, strict=True):
            assert same(expected, came, "numeric" if held.startswith("numeric") else held), (kind, value[:40])
        assert both.checksum(staged) == (staged.checksum, staged.bytes)
        both.drop(staged)


@pytest.mark.parametrize("kind", EXTREMES)
def test_its_bytes_are_those_that_sql_copies_or_it_is_refused(both: Both, kind: str) -> None:
    given(both, kind)
    query = "SELECT n, x FROM given ORDER BY n"
    _, rows = both.copied_by_sql(query)
    if kind in NOT_RELAYED:
        with pytest.raises(UnsupportedType, match=r"column x has type .*: cast it, like x::text"):
            both.by_bytes(query)
        query = "SELECT n, x::text FROM given ORDER BY n"  # the remedy is one
    staged = both.by_bytes(query)
    types, found = both.held(staged)
    assert found == rows
    assert types[1][1] == ("text" if kind in NOT_RELAYED else AS_BASE.get(kind, kind))
    assert both.checksum(staged) == (staged.checksum, staged.bytes)
    if kind not in NOT_RELAYED:
        assert both.checksum_by_sql() == (staged.checksum, staged.bytes)
    both.drop(staged)
