"""The agenda over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role
from kubescribe.domain.slot import Slot, SlotReason, SlotVerdict, slot_id


def put(world: ApiWorld, hours: float, pipeline: str = "totals", tenant: str = "default", **how: Any) -> str:
    at = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
    its = slot_id(tenant, pipeline, at.isoformat())
    world.database.slots[its] = Slot(
        id=its,
        tenant=tenant,
        pipeline=pipeline,
        logical=at.isoformat(),
        at=at,
        window_ends=at + timedelta(minutes=5),
        **how,
    )
    return str(its)


def ids(client: TestClient[Any], world: ApiWorld, path: str = "/slots", **how: Any) -> list[str]:
    answer = client.get(path, headers=world.as_(Role.VIEWER), **how)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_a_day_back_and_a_day_ahead(world: ApiWorld, client: TestClient[Any]) -> None:
    put(world, -25)
    missed = put(
        world, -1, verdict=SlotVerdict.MISSED, reason=SlotReason.CONTROLLER_AWAY, detail="nobody", decided_at=None
    )
    ahead = put(world, 23, pipeline="sales")
    put(world, 25)
    put(world, 0, tenant="team-b")
    assert ids(client, world) == [missed, ahead]
    assert ids(client, world, "/pipelines/totals/slots") == [missed]
    assert ids(client, world, "/slots?pipeline=sales") == [ahead]
    assert ids(client, world, "/slots?verdict=missed&verdict=late") == [missed]
    assert len(ids(client, world, "/slots", params={"since": "2020-01-01T00:00:00Z"})) == 3
    item = client.get("/slots", headers=world.as_(Role.VIEWER)).json()["items"][0]
    assert (item["verdict"], item["reason"], item["detail"], item["run"]) == (
        "missed",
        "controller_away",
        "nobody",
        None,
    )


def test_pages_rise(world: ApiWorld, client: TestClient[Any]) -> None:
    made = [put(world, number / 10) for number in range(7)]
    headers, seen, cursor = world.as_(Role.VIEWER), [], None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = client.get("/pipelines/totals/slots", params=params, headers=headers).json()
        seen.append([item["id"] for item in page["items"]])
        if (cursor := page["next"]) is None:
            break
    assert seen == [made[:3], made[3:6], made[6:]]


def test_a_pipeline_that_nobody_knows(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = world.as_(Role.VIEWER)
    assert client.get("/pipelines/totals/slots", headers=headers).json() == {"items": [], "next": None}
    assert client.get("/pipelines/none/slots", headers=headers).status_code == 404
    put(world, 1, pipeline="adopted")
    assert len(ids(client, world, "/pipelines/adopted/slots")) == 1, "a CronJob that was adopted by its label"


@pytest.mark.parametrize("query", ["verdict=gone", "since=yesterday", "since=2020-01-01T00:00:00", "cursor=x"])
def test_what_cannot_be_read_is_refused(world: ApiWorld, client: TestClient[Any], query: str) -> None:
    assert client.get(f"/slots?{query}", headers=world.as_(Role.VIEWER)).status_code in (400, 422)
