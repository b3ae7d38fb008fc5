"""One world for all cases of a module: making one takes longer than breaking it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World


@pytest.fixture(scope="module")
def unbroken() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def world(unbroken: World) -> Iterator[World]:
    """What a failed case has left is no concern of the next."""
    yield unbroken
    unbroken.tidy()
