"""The history over HTTP."""

from __future__ import annotations

from typing import Any

from litestar.testing import TestClient
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role


def test_pages_come_newest_first_and_hold_each_run_once(world: ApiWorld, client: TestClient[Any]) -> None:
    made = []
    for _ in range(7):
        made.append(str(world.run()))
        world.database.advance(1)
    headers, seen, cursor = world.as_(Role.VIEWER), [], None
    while True:
        page = client.get(
            "/runs", params={"limit": 3, **({"cursor": cursor} if cursor else {})}, headers=headers
        ).json()
        seen.append([item["id"] for item in page["items"]])
        world.run()  # what comes meanwhile shifts nothing
        if (cursor := page["next"]) is None:
            break
    assert seen == [made[6:3:-1], made[3:0:-1], made[:1]]


def test_filters(world: ApiWorld, client: TestClient[Any]) -> None:
    wanted = str(world.run(pipeline="sales"))
    world.run(pipeline="stock")
    headers = world.as_(Role.VIEWER)

    def ids(query: str) -> list[str]:
        return [item["id"] for item in client.get(f"/runs?{query}", headers=headers).json()["items"]]

    assert ids("pipeline=sales&status=pending&status=failed") == [wanted]
    assert ids("pipeline=sales&status=failed") == []
    assert ids("pipeline=sale") == []


def test_a_cursor_that_was_made_up_is_refused(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = world.as_(Role.VIEWER)
    for cursor in ("", "x", "A" * 32, "_" * 32, "é", "-" * 900):
        answer = client.get("/runs", params={"cursor": cursor}, headers=headers)
        assert answer.status_code in (200, 400)
    assert client.get("/runs", params={"cursor": "x"}, headers=headers).json()["detail"].startswith("cursor is not")


def test_the_whole_record_has_its_parts_and_links(world: ApiWorld, client: TestClient[Any]) -> None:
    run = world.run(reason="because")
    record = client.get(f"/runs/{run}", headers=world.as_(Role.VIEWER)).json()
    assert (record["id"], record["reason"], record["parameters"]) == (str(run), "because", {"day": 1})
    assert [event["kind"] for event in record["events"]] == ["run.created"]
    assert record["links"]["logs"] == f"/runs/{run}/logs"
    for part in ("attempts", "inputs", "outputs", "metrics", "notes"):
        assert record[part] == []


def test_events_after_a_place(world: ApiWorld, client: TestClient[Any]) -> None:
    run, headers = world.run(), world.as_(Role.VIEWER)
    events = client.get(f"/runs/{run}/events", headers=headers).json()["items"]
    assert [event["kind"] for event in events] == ["run.created"]
    later = client.get(f"/runs/{run}/events?after={events[0]['seq']}", headers=headers).json()
    assert later["items"] == []
