"""A scan and a copy come as safely as the session that describes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.clusters import Cluster

from kubescribe.adapters.source.copy_stream import CopyStream
from kubescribe.adapters.source.postgres import PostgresSource

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not Cluster.ssl_available(), reason="no PostgreSQL with SSL on this machine"),
]

TLS = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def tls_server() -> Iterator[Cluster]:
    with Cluster(scram=True, ssl=True) as cluster:
        yield cluster


@pytest.mark.parametrize(("mode", "expected"), [("verify-full", True), ("disable", False)])
def test_both_sessions_keep_the_mode(tls_server: Cluster, mode: str, expected: bool) -> None:
    url = f"{tls_server.url()}?sslmode={mode}" + (f"&sslrootcert={tls_server.ca_file}" if expected else "")
    source = PostgresSource(url, application_name="ks:tls")
    whole, scan = (source.read(TLS, {}, name="q", batch=batch) for batch in (None, 10))
    assert isinstance(scan._rows_by._out, CopyStream)  # type: ignore[attr-defined]
    assert [frame.item() for reading in (whole, scan) for frame in reading] == [expected, expected]
    much = source.relay("SELECT repeat('x', 1000) FROM generate_series(1, 20000)", {}, name="much")
    assert isinstance(much._out, CopyStream)  # type: ignore[attr-defined]
    assert sum(len(data) for data in much) == 19 + 20_000 * 1006 + 2
    source.done()
