"""Checksums that another version of KubeScribe wrote."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.publishing import run
from tests.support.report_database import ReportServer
from tests.support.report_worlds import postgres_world

pytestmark = pytest.mark.integration


def written(server: ReportServer, checksum: str) -> None:
    with server.admin() as admin:
        admin.execute("ALTER TABLE kubescribe.publication DISABLE TRIGGER USER")
        admin.execute("UPDATE kubescribe.publication SET checksum = %s", (checksum,))
        admin.execute("ALTER TABLE kubescribe.publication ENABLE TRIGGER USER")


def test_a_version_with_a_checksum_of_blake2b_verifies(server: ReportServer) -> None:
    world = postgres_world(server)
    row = world.published()
    statement = f"COPY (SELECT k, t FROM reports.airports__v{row.version}) TO STDOUT (FORMAT binary)"
    with server.admin() as admin, admin.cursor().copy(statement.encode()) as copy:
        content = b"".join(bytes(block) for block in copy)
    assert row.checksum == "sha256:" + hashlib.sha256(content).hexdigest()
    written(server, "blake2b:" + hashlib.blake2b(content, digest_size=32).hexdigest())
    assert run(world.catalogue.verify("airports")).differences == ()
    world.tamper("airports", "edit")
    (difference,) = run(world.catalogue.verify("airports")).differences
    assert difference.startswith("the checksum is blake2b:")


def test_a_checksum_of_an_algorithm_that_is_not_known_says_so(server: ReportServer) -> None:
    world = postgres_world(server)
    world.published()
    written(server, "blake3:00")
    found = run(world.catalogue.verify("airports"))
    assert found.differences == ("'blake3' is no algorithm for a checksum that this version of KubeScribe knows",)
