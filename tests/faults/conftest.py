"""One world for all cases of a module: making one takes longer than breaking it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.world import World


class Worlds(ExitStack):
    """One after the other: a world whose reports a bug has damaged is of no use to the next test."""

    def __init__(self) -> None:
        super().__init__()
        self._world: World | None = None

    def unspoiled(self) -> World:
        if self._world is None or self._world.spoiled:
            self.close()
            self._world = self.enter_context(World())
        return self._world


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with Worlds() as worlds:
        yield worlds


@pytest.fixture
def world(worlds: Worlds, request: pytest.FixtureRequest) -> Iterator[World]:
    """What a failed case has left is no concern of the next. What its runs publish is drawn anew for each test."""
    world = worlds.unspoiled()
    world.dice = random.Random(request.node.nodeid)
    yield world
    world.tidy()
