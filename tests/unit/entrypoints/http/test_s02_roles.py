"""S-2: who may do what, for every route, every role, and things of one's own, of others, and of nobody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar.testing import TestClient
from tests.support.api_routes import MISSING_RUN, Route, body_of, routes
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role, Scope

V, O, A = Role.VIEWER, Role.OPERATOR, Role.ADMIN  # noqa: E741
MAY: dict[Scope, set[Role]] = {
    Scope.RUNS_READ: {V, O, A},
    Scope.LOGS_READ: {V, O, A},
    Scope.PIPELINES_READ: {V, O, A},
    Scope.INCIDENTS_READ: {V, O, A},
    Scope.REPORTS_READ: {V, O, A},
    Scope.RUNS_TRIGGER: {O, A},
    Scope.RUNS_CANCEL: {O, A},
    Scope.RUNS_RETRY: {O, A},
    Scope.PIPELINES_PAUSE: {O, A},
    Scope.INCIDENTS_HANDLE: {O, A},
    Scope.REPORTS_ROLLBACK: {A},
    Scope.METRICS_READ: {A},
}
"""Written down once more, by hand."""

ALL = routes(ApiWorld().services)


def test_the_table_is_about_every_scope() -> None:
    assert set(MAY) == set(Scope)
    assert {role: {scope for scope, roles in MAY.items() if role in roles} for role in Role} == {
        role: set(role.scopes) for role in Role
    }


@pytest.mark.parametrize("route", ALL, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("role", [*Role, "no scopes"])
def test_a_role_gets_what_the_table_says(
    route: Route, role: Role | str, world: ApiWorld, client: TestClient[Any]
) -> None:
    headers = world.as_(role) if isinstance(role, Role) else world.as_(A, scopes=frozenset())
    status = client.request(route.method, route.at(world.run()), headers=headers, json=body_of(route)).status_code
    allowed = not isinstance(route.needs, Scope) or role in MAY[route.needs]
    assert (status != 403) is allowed, f"{role} was answered {status}"
    assert status < 500


@pytest.mark.parametrize(
    "route", [one for one in ALL if "run_id" in one.path], ids=lambda one: f"{one.method} {one.path}"
)
def test_a_run_of_another_tenant_is_as_good_as_none(route: Route, world: ApiWorld, client: TestClient[Any]) -> None:
    own, theirs = world.run(), world.run(tenant="team-b")
    headers = world.as_(A)

    def asked(run: UUID) -> tuple[int, bytes]:
        answer = client.request(route.method, route.at(run), headers=headers, json=body_of(route))
        return answer.status_code, answer.content.replace(str(run).encode(), b"RUN")

    assert asked(theirs) == asked(MISSING_RUN)
    assert asked(theirs)[0] == 404
    assert asked(own)[0] != 404


def test_a_list_holds_nothing_of_another_tenant(world: ApiWorld, client: TestClient[Any]) -> None:
    own, theirs = world.run(), world.run(tenant="team-b")
    for tenant, expected in (("default", own), ("team-b", theirs)):
        items = client.get("/runs", headers=world.as_(V, tenant=tenant)).json()["items"]
        assert [item["id"] for item in items] == [str(expected)]


def test_what_a_token_may_is_never_more_than_its_role(world: ApiWorld, client: TestClient[Any]) -> None:
    token, text = world.token(V)
    wide = msgspec.structs.replace(token, scopes=frozenset(Scope))  # as if somebody had written into the table
    assert wide.principal().scopes == V.scopes
    headers = {"Authorization": f"Bearer {text}"}
    assert client.post("/runs/trigger", headers=headers, json={"pipeline": "totals"}).status_code == 403
