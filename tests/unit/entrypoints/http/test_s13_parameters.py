"""S-13, S-14: parameters are values, whatever they look like; nothing else of a run can be chosen from outside."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld
from tests.support.injected import injected

from kubescribe.domain.access import Role


def test_five_thousand_hostile_texts_arrive_as_they_were_sent(world: ApiWorld, client: TestClient[Any]) -> None:
    headers, texts = world.as_(Role.OPERATOR), injected(5_000)
    for at in range(0, len(texts), 50):
        tags = texts[at : at + 50]
        body = {"pipeline": "totals", "parameters": {"country": tags[0], "tags": tags}, "reason": tags[-1]}
        answer = client.post("/runs/trigger", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        run = world.database.runs[world.launcher.launched[-1]]
        assert run.parameters == {"country": tags[0], "tags": tags, "day": 1}
        assert run.reason == tags[-1]
        assert answer.json()["parameters"] == run.parameters


FIELDS = "image command args env volumes serviceAccountName podSpecPatch template namespace actor tenant id slot "
FIELDS += "run_id status trigger code_version retry_of may_publish limits resources labels annotations Pipeline mode_ "
FIELDS += "parameters_ pipeline_name key Idempotency-Key __proto__ $ref Reason created_at priority"


def test_three_hundred_requests_for_more_than_there_is_are_refused(world: ApiWorld, client: TestClient[Any]) -> None:
    headers, dice = world.as_(Role.ADMIN), random.Random(7)
    names = FIELDS.split(" ") + [f"field{number}" for number in range(30)]
    values: list[Any] = ["x", 1, None, [], {"a": 1}]
    for _ in range(300):
        extra = {dice.choice(names): dice.choice(values)}
        answer = client.post("/runs/trigger", json={"pipeline": "totals"} | extra, headers=headers)
        assert answer.status_code == 400, extra
    assert not world.database.runs


def test_a_parameter_that_is_not_declared_or_does_not_fit_is_named(world: ApiWorld, client: TestClient[Any]) -> None:
    body = {"pipeline": "totals", "parameters": {"day": "Monday", "contry": "NO", "tags": [1]}}
    answer = client.post("/runs/trigger", json=body, headers=world.as_(Role.OPERATOR))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:kubescribe:problem:bad-parameters"
    assert len(problem["errors"]) == 3
    for name in ("contry", "day", "tags"):
        assert any(name in error for error in problem["errors"])
    assert not world.database.runs


def test_what_a_run_is_comes_from_the_declaration_and_the_principal() -> None:
    world = ApiWorld(tenant="team-b")
    token, text = world.token(Role.OPERATOR, tenant="team-b")
    headers = {"Authorization": f"Bearer {text}"}
    with world.client() as client:
        answer = client.post("/runs/trigger", json={"pipeline": "totals"}, headers=headers)
    run = world.database.runs[world.launcher.launched[-1]]
    assert answer.headers["location"] == f"/runs/{run.id}"
    assert (run.tenant, run.actor, run.trigger) == ("team-b", f"token:{token.id}", "api")
    assert run.code_version == world.services.pipelines.get("totals").pipeline.code_version


def test_a_request_that_is_repeated_is_the_same_run(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = world.as_(Role.OPERATOR) | {"Idempotency-Key": "monday"}
    first = client.post("/runs/trigger", json={"pipeline": "totals", "parameters": {"day": 1}}, headers=headers)
    again = client.post("/runs/trigger", json={"parameters": {"day": 1}, "pipeline": "totals"}, headers=headers)
    other = client.post("/runs/trigger", json={"pipeline": "totals", "parameters": {"day": 2}}, headers=headers)
    assert [answer.status_code for answer in (first, again, other)] == [202, 200, 409]
    assert first.json()["id"] == again.json()["id"]
    assert other.json()["type"].endswith("key-reused")
    assert first.json()["id"] in other.json()["detail"]
    assert len(world.launcher.launched) == 1


def test_a_pipeline_that_is_not_there(world: ApiWorld, client: TestClient[Any]) -> None:
    answer = client.post("/runs/trigger", json={"pipeline": "total"}, headers=world.as_(Role.OPERATOR))
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no pipeline total; did you mean totals?")


@pytest.mark.parametrize("mode", ["publish", "rehearse"])
def test_a_mode_is_kept(mode: str, world: ApiWorld, client: TestClient[Any]) -> None:
    body = msgspec.json.encode({"pipeline": "totals", "mode": mode})
    headers = world.as_(Role.OPERATOR) | {"Content-Type": "application/json"}
    assert client.post("/runs/trigger", content=body, headers=headers).json()["mode"] == mode
