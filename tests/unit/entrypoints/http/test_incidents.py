"""Incidents over HTTP: looked at by viewers, handled by operators, safe to repeat, on record."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld
from tests.support.builders import a_claim, failed, succeeded

from kubescribe import Context, pipeline
from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.application.authoring.registry import Registry
from kubescribe.domain.access import Role, Scope
from kubescribe.domain.incident import IncidentKind
from kubescribe.domain.promise import Judgement, Promise

SOON = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


def end(world: ApiWorld, name: str = "totals", *, well: bool = False, tenant: str = "default") -> str:
    attempts = MemoryAttemptLog(world.database)
    claim = a_claim(world.ids.new(), world.ids.new(), pipeline=name, tenant=tenant)

    async def work() -> None:
        await attempts.claim(claim)
        await attempts.finish(claim.attempt_id, succeeded() if well else failed())

    asyncio.run(work())
    return str(claim.run_id)


def get(world: ApiWorld, client: TestClient[Any], path: str, role: Role = Role.VIEWER) -> Any:
    answer = client.get(path, headers=world.as_(role))
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(world: ApiWorld, client: TestClient[Any], path: str, body: Any, role: Role = Role.OPERATOR) -> Any:
    return client.post(path, json=body, headers=world.as_(role))


def test_a_list_by_what_is_asked_for(world: ApiWorld, client: TestClient[Any]) -> None:
    for name in ("a", "b", "c"):
        end(world, name)
    end(world, "b", well=True)
    end(world, "theirs", tenant="team-b")

    def numbers(query: str = "") -> list[int]:
        return [item["id"] for item in get(world, client, f"/incidents{query}")["items"]]

    assert (numbers(), numbers("?open=true"), numbers("?open=false")) == ([3, 2, 1], [3, 1], [2])
    assert numbers("?pipeline=a") == [1]
    page = get(world, client, "/incidents?limit=2")
    assert [item["id"] for item in page["items"]] == [3, 2]
    rest = get(world, client, f"/incidents?limit=2&cursor={page['next']}")
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([1], None)
    item = page["items"][0]
    assert (item["pipeline"], item["kind"], item["status"], item["count"]) == ("c", "failing", "open", 1)


@pytest.mark.parametrize("query", ["open=perhaps", "cursor=x", "cursor=-1", "cursor=" + "9" * 30, "limit=0"])
def test_what_cannot_be_read_is_refused(world: ApiWorld, client: TestClient[Any], query: str) -> None:
    assert client.get(f"/incidents?{query}", headers=world.as_(Role.VIEWER)).status_code == 400


def test_one_is_handled_and_says_by_whom(world: ApiWorld, client: TestClient[Any]) -> None:
    run = end(world)
    body = {"until": SOON.isoformat(), "reason": "after lunch"}
    for _ in range(2):
        assert post(world, client, "/incidents/1/acknowledge", {"reason": "on it"}).status_code == 200
        assert post(world, client, "/incidents/1/snooze", body).status_code == 200
        assert post(world, client, "/incidents/1/assign", {"to": "the night shift"}).status_code == 200
    token, text = world.token(Role.OPERATOR)
    for _ in range(2):
        headers = {"Authorization": f"Bearer {text}"}
        assert client.post("/incidents/1/note", json={"text": "the disk"}, headers=headers).status_code == 200
    shown = get(world, client, "/incidents/1")
    one = shown["incident"]
    assert (one["run_id"], one["assigned_to"], one["why"]) == (run, "the night shift", "error")
    assert datetime.fromisoformat(one["snoozed_until"]) == SOON
    kinds = [event["kind"].removeprefix("incident.") for event in shown["events"]]
    assert kinds == ["opened", "acknowledged", "snoozed", "assigned", "noted"], "what is so already leaves no event"
    note = shown["events"][-1]
    assert (note["actor"], note["method"], note["reason"]) == (
        f"token:{token.id}",
        "POST /incidents/{number}/note",
        "the disk",
    )
    assert shown["events"][1]["reason"] == "on it"


def test_what_is_over_or_never_was(world: ApiWorld, client: TestClient[Any]) -> None:
    end(world)
    end(world, well=True)
    for path, body in (("acknowledge", {}), ("snooze", {"until": SOON.isoformat()}), ("assign", {"to": None})):
        answer = post(world, client, f"/incidents/1/{path}", body)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "incident-over")
        assert post(world, client, f"/incidents/9/{path}", body).status_code == 404
    assert post(world, client, "/incidents/1/note", {"text": "it was the disk"}).status_code == 200
    end(world, "theirs", tenant="team-b")
    for number in (2, 9, 10**18):
        assert client.get(f"/incidents/{number}", headers=world.as_(Role.VIEWER)).status_code == 404
    theirs = client.get("/incidents/1", headers=world.as_(Role.VIEWER, tenant="team-b")).json()
    assert theirs["incident"]["pipeline"] == "theirs"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("snooze", None),
        ("snooze", {}),
        ("snooze", {"until": "tomorrow"}),
        ("snooze", {"until": "2030-01-01T00:00:00"}),
        ("assign", {}),
        ("assign", {"to": ""}),
        ("assign", {"to": "x" * 201}),
        ("assign", {"to": "ann", "status": "recovered"}),
        ("note", {"text": ""}),
        ("note", {"text": "x" * 4001}),
        ("acknowledge", {"until": "2030-01-01T00:00:00Z"}),
    ],
)
def test_bad_bodies_change_nothing(world: ApiWorld, client: TestClient[Any], path: str, body: Any) -> None:
    end(world)
    assert post(world, client, f"/incidents/1/{path}", body).status_code == 400
    assert len(get(world, client, "/incidents/1")["events"]) == 1


def test_a_time_that_is_over_is_a_conflict(world: ApiWorld, client: TestClient[Any]) -> None:
    end(world)
    answer = post(world, client, "/incidents/1/snooze", {"until": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "snooze-refused")


def test_who_only_looks_handles_nothing(world: ApiWorld, client: TestClient[Any]) -> None:
    end(world)
    assert post(world, client, "/incidents/1/acknowledge", {}, role=Role.VIEWER).status_code == 403
    headers = world.as_(Role.OPERATOR, scopes=frozenset({Scope.INCIDENTS_READ}))
    assert client.post("/incidents/1/acknowledge", json={}, headers=headers).status_code == 403
    assert client.get("/incidents/1", headers=headers).status_code == 200


@pipeline(reports=("sales",), schedule="@daily", finish_by="07:00", rows_between={"sales": (1, None)})
def promising(run: Context) -> None: ...


def test_what_is_promised_and_kept() -> None:
    world = ApiWorld(pipelines=Registry([promising]))
    today = datetime.now(UTC).date()
    judged = [
        Judgement(
            promise=Promise(pipeline="promising", kind=IncidentKind.FINISH_BY, subject=str(number)),
            kept=number > 0,
            day=today,
        )
        for number in range(3)
    ]
    book = world.services.promises
    asyncio.run(book.settle("default", made=[one.promise for one in judged], judged=judged, mended=(), looked={}))
    with world.client() as client:
        told = get(world, client, "/pipelines/promising/promises")
        assert client.get("/pipelines/other/promises", headers=world.as_(Role.VIEWER)).status_code == 404
    assert (told["finish_at"], told["rows_between"], told["run_at_most"]) == ("07:00", {"sales": [1, None]}, None)
    monday = today - timedelta(days=today.weekday())
    assert told["attainment"] == [
        {"kind": "finish_by", "unit": "week", "start": str(monday), "kept": 2, "promised": 3},
        {
            "kind": "finish_by",
            "unit": "month",
            "start": str(date(today.year, today.month, 1)),
            "kept": 2,
            "promised": 3,
        },
    ]
