"""What the log says of requests."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld

from kubescribe.application.notify import Notified
from kubescribe.domain.access import Role
from kubescribe.entrypoints.composition.watching import logged
from kubescribe.entrypoints.log_lines import configure_logging


@pytest.fixture
def lines() -> Iterator[Any]:
    """All lines until now, decoded."""
    logger, stream = logging.getLogger("kubescribe"), io.StringIO()
    before = (list(logger.handlers), logger.level, logger.propagate)
    configure_logging("json", (), stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers[:], logger.level, logger.propagate = before


def test_each_change_is_one_line_with_its_run(world: ApiWorld, client: TestClient[Any], lines: Any) -> None:
    token, text = world.token(Role.ADMIN)
    headers = {"Authorization": f"Bearer {text}"}
    run = client.post("/runs/trigger", json={"pipeline": "totals"}, headers=headers).json()["id"]
    client.post(f"/runs/{run}/cancel", headers=headers)
    again = client.post(f"/runs/{run}/retry", headers=headers).json()["run"]["id"]
    client.post("/pipelines/totals/pause", json={"reason": "a secret of ours"}, headers=headers)
    client.get("/runs", headers=headers)
    by = f"by token:{token.id}"
    assert [(line["message"], line.get("run_id")) for line in lines()] == [
        (f"POST /runs/trigger {by}", run),
        (f"POST /runs/{{run_id}}/cancel {by}", run),
        (f"POST /runs/{{run_id}}/retry {by}", again),
        (f"POST /pipelines/{{name}}/pause {by}", None),
    ]


def test_what_failed_names_its_run_and_is_said_once(world: ApiWorld, client: TestClient[Any], lines: Any) -> None:
    run, headers = world.run(), world.as_(Role.ADMIN)

    async def fails(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a defect")

    world.services.history.record = fails  # type: ignore[method-assign]
    assert client.get(f"/runs/{run}", headers=headers).status_code == 500
    (line,) = lines()
    assert (line["level"], line["message"], line["run_id"]) == ("error", "GET /runs/{run_id} failed", str(run))
    assert "ZeroDivisionError: a defect" in line["error"]


def test_who_was_not_told_is_in_the_log(lines: Any) -> None:
    async def notify() -> Notified:
        return Notified(sent=1, problems=("email to ann@example.org about totals: away; tried again in 30 s",))

    async def pass_() -> None:
        await logged(notify)()

    asyncio.run(pass_())
    assert [(line["level"], line["logger"], line["message"]) for line in lines()] == [
        ("warning", "kubescribe.notify", "email to ann@example.org about totals: away; tried again in 30 s")
    ]
