"""Each test of a port runs against every adapter of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.runlogs import MemoryWorld, PostgresWorld, World


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest, loop: asyncio.Runner) -> Iterator[World]:
    """A RunLog."""
    world: World = (
        MemoryWorld(loop) if request.param == "memory" else PostgresWorld(loop, request.getfixturevalue("runlog_url"))
    )
    yield world
    world.close()
