"""S-33: what changes something needs its own scope, and leaves an event with who did it."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_routes import body_of, routes
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role, Scope

CHANGING = {
    "/runs/trigger": Scope.RUNS_TRIGGER,
    "/runs/{run_id}/cancel": Scope.RUNS_CANCEL,
    "/runs/{run_id}/retry": Scope.RUNS_RETRY,
    "/pipelines/{name}/pause": Scope.PIPELINES_PAUSE,
    "/pipelines/{name}/resume": Scope.PIPELINES_PAUSE,
    "/reports/{name}/rollback": Scope.REPORTS_ROLLBACK,
}


def test_each_change_has_a_scope_that_no_other_kind_of_change_gives(world: ApiWorld) -> None:
    unsafe = [one for one in routes(world.services) if one.method != "GET" and "/s" not in one.path[:2]]
    assert unsafe
    for route in unsafe:
        assert route.needs is CHANGING[route.path], route.path


@pytest.mark.parametrize("path", CHANGING)
def test_every_scope_but_the_right_one_is_not_enough(path: str, world: ApiWorld, client: TestClient[Any]) -> None:
    there = [one for one in routes(world.services) if one.path == path]
    for route in there:
        headers = world.as_(Role.ADMIN, scopes=frozenset(Scope) - {CHANGING[path]})
        answer = client.request(route.method, route.at(world.run()), headers=headers, json=body_of(route))
        assert answer.status_code == 403


def test_a_trigger_leaves_one_event_with_who_and_why(world: ApiWorld, client: TestClient[Any]) -> None:
    token, text = world.token(Role.OPERATOR)
    body = {"pipeline": "totals", "reason": "the month is over"}
    answer = client.post("/runs/trigger", json=body, headers={"Authorization": f"Bearer {text}"})
    mine = [event for event in world.database.events if str(event.run_id) == answer.json()["id"]]
    assert [(event.kind, event.actor, event.data["reason"]) for event in mine] == [
        ("run.created", f"token:{token.id}", "the month is over")
    ]


def test_what_was_refused_leaves_none(world: ApiWorld, client: TestClient[Any]) -> None:
    viewer, operator = world.as_(Role.VIEWER), world.as_(Role.OPERATOR)
    before = len(world.database.events)
    client.post("/runs/trigger", json={"pipeline": "totals"}, headers=viewer)
    client.post("/runs/trigger", json={"pipeline": "nothing"}, headers=operator)
    client.post("/runs/trigger", json={"pipeline": "totals"})
    assert len(world.database.events) == before
