"""The API in memory, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld

from kubescribe.entrypoints.http.app import openapi_document
from kubescribe.entrypoints.http.request_metrics import RequestMetrics


@pytest.fixture
def world() -> ApiWorld:
    return ApiWorld()


@pytest.fixture
def client(world: ApiWorld) -> Iterator[TestClient[Any]]:
    with world.client() as client:
        yield client


@pytest.fixture(autouse=True)
def _every_answer_is_in_the_document(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test of the API is about: a route answers nothing that the OpenAPI document does not tell of."""
    paths = msgspec.json.decode(openapi_document())["paths"]
    count, missing = RequestMetrics.answered, set[str]()

    def answered(self: RequestMetrics, method: str, route: str, status: int, seconds: float) -> None:
        count(self, method, route, status, seconds)
        operation = paths.get(route, {}).get(method.lower())
        if operation is not None and str(status) not in operation["responses"]:
            missing.add(f"{method} {route} answered {status}")

    monkeypatch.setattr(RequestMetrics, "answered", answered)
    yield
    assert not missing
