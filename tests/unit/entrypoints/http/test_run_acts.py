"""Cancelling and retrying over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role


@pytest.fixture
def headers(world: ApiWorld) -> dict[str, str]:
    return world.as_(Role.OPERATOR)


def triggered(client: TestClient[Any], headers: dict[str, str]) -> str:
    run: str = client.post("/runs/trigger", json={"pipeline": "totals"}, headers=headers).json()["id"]
    return run


def test_a_run_that_nobody_has_taken_is_cancelled_at_once(
    world: ApiWorld, client: TestClient[Any], headers: dict[str, str]
) -> None:
    run = triggered(client, headers)
    answer = client.post(f"/runs/{run}/cancel", json={"reason": "not today"}, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    asked = next(e for e in world.database.events if str(e.run_id) == run and e.kind == "run.cancelling")
    assert asked.actor.startswith("token:")
    assert asked.data["reason"] == "not today"


def test_a_run_that_has_ended_is_not_cancelled(client: TestClient[Any], headers: dict[str, str]) -> None:
    run = triggered(client, headers)
    client.post(f"/runs/{run}/cancel", headers=headers)
    answer = client.post(f"/runs/{run}/cancel", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:kubescribe:problem:cancel-refused")


def test_a_cancelled_run_is_run_again_once_for_a_key(
    world: ApiWorld, client: TestClient[Any], headers: dict[str, str]
) -> None:
    run = triggered(client, headers)
    client.post(f"/runs/{run}/cancel", headers=headers)
    keyed = headers | {"Idempotency-Key": "again"}
    first = client.post(f"/runs/{run}/retry", json={"reason": "tomorrow"}, headers=keyed)
    again = client.post(f"/runs/{run}/retry", json={"reason": "tomorrow"}, headers=keyed)
    other = client.post(f"/runs/{run}/retry", json={"reason": "today"}, headers=keyed)
    assert [answer.status_code for answer in (first, again, other)] == [202, 200, 409]
    made = first.json()["run"]
    assert (made["retry_of"], made["trigger"], first.json()["note"]) == (run, "retry", None)
    assert first.headers["location"] == f"/runs/{made['id']}"
    assert again.json()["run"]["id"] == made["id"]
    assert UUID(made["id"]) in world.launcher.launched


def test_a_run_that_goes_on_is_not_retried(client: TestClient[Any], headers: dict[str, str]) -> None:
    answer = client.post(f"/runs/{triggered(client, headers)}/retry", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:kubescribe:problem:retry-refused")
