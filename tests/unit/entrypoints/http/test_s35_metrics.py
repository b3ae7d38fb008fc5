"""S-35: metrics are for those who may see them, of their own tenant, and count what was answered."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role, Scope


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {tuple(one.labels.values()): one.value for one in found if one.name == name}


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.OPERATOR, 403), (Role.ADMIN, 200)])
def test_only_who_may_reads_them(role: Role, status: int, world: ApiWorld, client: TestClient[Any]) -> None:
    assert client.get("/metrics", headers=world.as_(role)).status_code == status


def test_a_scraper_needs_this_scope_alone(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = world.as_(Role.ADMIN, scopes=frozenset({Scope.METRICS_READ}))
    assert client.get("/metrics", headers=headers).status_code == 200
    assert client.get("/runs", headers=headers).status_code == 403


def test_nothing_of_another_tenant_and_no_parameter_is_in_them() -> None:
    world = ApiWorld(tenant="team-b")
    operator = world.as_(Role.OPERATOR, tenant="team-b")
    body = {"pipeline": "totals", "parameters": {"country": "secret-country"}}
    with world.client() as client:
        run = client.post("/runs/trigger", json=body, headers=operator).json()["id"]
        client.post(f"/runs/{run}/cancel", headers=operator)
        client.get("/runs/secret-path/x", headers=operator)
        own = client.get("/metrics", headers=world.as_(Role.ADMIN, tenant="team-b")).text
        other = client.get("/metrics", headers=world.as_(Role.ADMIN)).text
    assert samples(own, "kubescribe_runs_total") == {("totals", "cancelled", ""): 1.0}
    assert samples(other, "kubescribe_runs_total") == {}
    for text in (own, other):
        assert "team-b" not in text and "secret" not in text and run not in text


def test_refusals_are_counted_as_what_they_are(world: ApiWorld, client: TestClient[Any]) -> None:
    admin = world.as_(Role.ADMIN)
    client.get("/runs")
    client.get("/runs", headers=admin)
    client.get(f"/runs/{world.run()}", headers=admin)
    client.get("/no/such/path/4711", headers=admin)
    client.request("BREW", "/runs", headers=admin)
    text = client.get("/metrics", headers=admin).text
    counted = samples(text, "kubescribe_http_requests_total")
    assert counted[("GET", "none", "401")] == 1
    assert counted[("GET", "/runs", "200")] == 1
    assert counted[("GET", "/runs/{run_id}", "200")] == 1
    assert counted[("GET", "none", "404")] == 1
    assert any(labels[0] == "other" for labels in counted)
    assert "4711" not in text and "BREW" not in text
    assert samples(text, "kubescribe_http_request_seconds_count")[("/runs",)] >= 1
