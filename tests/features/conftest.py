"""One autouse fixture runs every scenario in every world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.three_databases import three_databases

from .memory_world import MemoryWorld
from .postgres_world import PostgresWorld
from .world import World


@pytest.fixture(autouse=True, params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The world of this scenario."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    with three_databases(request.getfixturevalue("cluster")) as databases:
        yield PostgresWorld(tmp_path, databases)
