"""One autouse fixture runs every scenario in every world."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubescribe.adapters.postgres.migrate import migrate as migrate_runlog
from kubescribe.adapters.report.migrate import migrate as migrate_report
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster

from .memory_world import MemoryWorld
from .postgres_world import PostgresWorld
from .world import World

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True, params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The world of this scenario."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    number = next(_NUMBERS)
    urls = {name: cluster.create_database(f"feature_{name}_{number}") for name in ("runlog", "production", "report")}
    asyncio.run(migrate_runlog(asyncpg_address(urls["runlog"])))
    asyncio.run(migrate_report(asyncpg_address(urls["report"])))
    yield PostgresWorld(tmp_path, **urls)
    for name in urls:
        cluster.drop_database(f"feature_{name}_{number}")
