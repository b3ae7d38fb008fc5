"""The API in memory, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld


@pytest.fixture
def world() -> ApiWorld:
    return ApiWorld()


@pytest.fixture
def client(world: ApiWorld) -> Iterator[TestClient[Any]]:
    with world.client() as client:
        yield client
