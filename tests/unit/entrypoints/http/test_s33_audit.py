"""S-33: what changes something needs its own scope, and leaves an event with who did it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import polars as pl
import pytest
from litestar.testing import TestClient
from tests.support.api_routes import body_of, routes
from tests.support.api_world import URL, ApiWorld
from tests.support.report_worlds import memory_world

from kubescribe.domain.access import Role, Scope
from kubescribe.domain.incident import IncidentKind, Trouble

CHANGING = {
    "/runs/trigger": Scope.RUNS_TRIGGER,
    "/runs/{run_id}/cancel": Scope.RUNS_CANCEL,
    "/runs/{run_id}/retry": Scope.RUNS_RETRY,
    "/pipelines/{name}/pause": Scope.PIPELINES_PAUSE,
    "/pipelines/{name}/resume": Scope.PIPELINES_PAUSE,
    "/incidents/{number}/acknowledge": Scope.INCIDENTS_HANDLE,
    "/incidents/{number}/snooze": Scope.INCIDENTS_HANDLE,
    "/incidents/{number}/assign": Scope.INCIDENTS_HANDLE,
    "/incidents/{number}/note": Scope.INCIDENTS_HANDLE,
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


def test_each_change_says_who_how_why_and_what_it_changed(world: ApiWorld, client: TestClient[Any]) -> None:
    """Every route that changes something, once; a route that came later and is not done here fails the last line."""
    reports = memory_world(world.reports)
    attempts = [reports.attempt() for _ in range(2)]
    older, newer = (one.publish(one.stage(pl.DataFrame({"k": [1]}), "sales"))[0].version for one in attempts)
    token, text = world.token(Role.ADMIN)
    headers, why = {"Authorization": f"Bearer {text}"}, {"reason": "the month is over"}
    until = "2030-01-01T00:00:00+00:00"
    bodies: dict[str, dict[str, Any]] = {
        "/runs/trigger": {"pipeline": "totals"},
        "/incidents/{number}/snooze": {"until": until},
        "/incidents/{number}/assign": {"to": "ann"},
    }
    world.database.trouble(Trouble(pipeline="totals", kind=IncidentKind.MISSED, at=world.database.now()))
    changed: dict[str, tuple[str, dict[str, Any] | None, dict[str, Any]]] = {
        "/runs/trigger": ("run.created", None, {"status": "pending"}),
        "/runs/{run_id}/cancel": ("run.cancelling", {"status": "pending"}, {"status": "cancelling"}),
        "/runs/{run_id}/retry": ("run.created", None, {"status": "pending"}),
        "/pipelines/{name}/pause": ("pipeline.paused", {"paused": False}, {"paused": True}),
        "/pipelines/{name}/resume": ("pipeline.resumed", {"paused": True}, {"paused": False}),
        "/incidents/{number}/acknowledge": (
            "incident.acknowledged",
            {"acknowledged_by": None},
            {"acknowledged_by": f"token:{token.id}"},
        ),
        "/incidents/{number}/snooze": ("incident.snoozed", {"snoozed_until": None}, {"snoozed_until": until}),
        "/incidents/{number}/assign": ("incident.assigned", {"assigned_to": None}, {"assigned_to": "ann"}),
        "/incidents/{number}/note": ("incident.noted", None, {}),
        "/reports/{name}/rollback": ("report.rolled_back", {"version": newer}, {"version": older}),
    }
    assert set(changed) == set(CHANGING)
    run = UUID(client.post("/runs/trigger", json={"pipeline": "totals"}, headers=headers).json()["id"])
    there = {one.path: one for one in routes(world.services)}
    for path, (kind, before, after) in changed.items():
        count = len(world.database.events)
        name = "sales" if path.startswith("/reports") else "totals"
        body = {"text": why["reason"]} if path.endswith("/note") else why | bodies.get(path, {})
        answer = client.post(there[path].at(run, name), json=body, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        told = [one for one in world.database.events[count:] if one.method is not None]
        assert [(one.kind, one.method, one.reason, one.actor) for one in told] == [
            (kind, f"POST {path}", "the month is over", f"token:{token.id}")
        ]
        assert before is None or (told[0].before or {}).items() >= before.items()
        assert (told[0].after or {}).items() >= after.items()
    events = client.get(f"/runs/{run}/events", headers=headers).json()["items"]
    asked = next(one for one in events if one["kind"] == "run.cancelling")
    assert (asked["method"], asked["reason"]) == ("POST /runs/{run_id}/cancel", "the month is over")
    assert (asked["before"]["status"], asked["after"]["status"]) == ("pending", "cancelling")


def test_a_session_says_how_it_began_and_ended(world: ApiWorld, client: TestClient[Any]) -> None:
    csrf = client.post("/sign-in", json={"code": world.link()}).json()["csrf_token"]
    client.delete("/session", headers={"Origin": URL, "X-CSRF-Token": csrf})
    told = [(one.kind, one.method, one.before, one.after) for one in world.database.events]
    assert told == [
        ("session.invited", None, None, {"state": "invited"}),
        ("session.began", "POST /sign-in", {"state": "invited"}, {"state": "signed in"}),
        ("session.ended", "DELETE /session", {"state": "signed in"}, {"state": "ended"}),
    ]
