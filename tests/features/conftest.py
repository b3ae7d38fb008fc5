"""Every scenario in every world; those with the tag ``api`` through the API too, with ``api_only`` only so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.three_databases import three_databases

from .api_worlds import MemoryApiWorld, PostgresApiWorld
from .memory_world import MemoryWorld
from .postgres_world import PostgresWorld
from .world import World

_COMMANDS = ("memory", "postgres")
_API = ("memory-api", "postgres-api")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    tags = {mark.name for mark in metafunc.definition.iter_markers()}
    names = (*(() if "api_only" in tags else _COMMANDS), *(_API if tags & {"api", "api_only"} else ()))
    marks = {name: [pytest.mark.integration] if name.startswith("postgres") else [] for name in names}
    worlds = [pytest.param(name, marks=marks[name], id=name) for name in names]
    metafunc.parametrize("world", worlds, indirect=True)


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The world of this scenario."""
    match request.param:
        case "memory":
            yield MemoryWorld()
        case "memory-api":
            over = MemoryApiWorld()
            with over.client:
                yield over
        case name:
            with three_databases(request.getfixturevalue("cluster")) as databases:
                if name == "postgres":
                    yield PostgresWorld(tmp_path, databases)
                    return
                behind = PostgresApiWorld(tmp_path, databases)
                with behind.client:
                    yield behind
