"""Reports over HTTP: as they are, as they were, page by page, as files, and back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld
from tests.support.report_worlds import memory_world

from kubescribe.domain.access import Role

FIRST = pl.DataFrame({"k": [1, 2, 3], "t": ["=1+1", "b", None], "n": [Decimal("0.10"), None, Decimal("12345678.90")]})
SECOND = FIRST.with_columns(pl.col("k") + 10)


@pytest.fixture
def shown(world: ApiWorld) -> Iterator[list[int]]:
    """Two versions of the report ``sales``; their numbers."""
    reports = memory_world(world.reports)
    made = []
    for frame in (FIRST, SECOND):
        attempt = reports.attempt()
        made.append(attempt.publish(attempt.stage(frame, "sales", key=("k",)))[0].version)
    yield made


def rows(client: TestClient[Any], headers: dict[str, str], query: str = "") -> list[Any]:
    answer = client.get(f"/reports/sales/rows?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["k"] for item in answer.json()["items"]]


def test_a_report_says_what_it_is(world: ApiWorld, client: TestClient[Any], shown: list[int]) -> None:
    headers = world.as_(Role.VIEWER)
    report = client.get("/reports/sales", headers=headers).json()
    assert (report["current"]["version"], report["key"], report["current"]["rows"]) == (shown[1], ["k"], 3)
    assert [one["version"] for one in report["kept"]] == shown[::-1]
    assert [one["name"] for one in client.get("/reports", headers=headers).json()["items"]] == ["sales"]
    assert client.get("/reports/sale", headers=headers).json()["detail"].endswith("did you mean sales?")


def test_rows_are_filtered_sorted_and_of_any_kept_version(
    world: ApiWorld, client: TestClient[Any], shown: list[int]
) -> None:
    headers = world.as_(Role.VIEWER)
    numbers = rows(client, headers, f"version={shown[0]}&sort=-k")
    assert [int(number) for number in numbers] == [3, 2, 1]
    assert [int(number) for number in rows(client, headers, "where=k%3E11&where=t%20is%20null")] == [13]
    answer = client.get(f"/reports/sales/rows?version={shown[0]}&columns=n,k", headers=headers).json()
    assert [column["name"] for column in answer["columns"]] == ["n", "k"]
    assert answer["items"][0]["n"] == "0.10"


def test_pages_are_of_one_version_whatever_is_published_meanwhile(
    world: ApiWorld, client: TestClient[Any], shown: list[int]
) -> None:
    headers = world.as_(Role.VIEWER)
    first = client.get("/reports/sales/rows?limit=2", headers=headers).json()
    client.post("/reports/sales/rollback", headers=world.as_(Role.ADMIN))
    second = client.get("/reports/sales/rows", params={"limit": 2, "cursor": first["next"]}, headers=headers).json()
    assert [int(item["k"]) for item in first["items"] + second["items"]] == [11, 12, 13]
    assert second["next"] is None
    wrong = {"limit": 2, "cursor": first["next"], "sort": "t"}
    assert client.get("/reports/sales/rows", params=wrong, headers=headers).json()["type"].endswith("bad-cursor")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("where=no_such=1", 400),
        ("where=k=x", 400),
        ("where=k", 400),
        ("where=t%20in%20a%0Ab", 400),
        ("where=t%20in%20a%0Db", 400),
        ("where=" + "%20" * 1000 + "!", 400),
        ("sort=k,k", 400),
        ("columns=no_such", 400),
        ("version=999", 409),
        ("as_of_run=0197a000-0000-7000-8000-000000000000", 404),
        ("where=k%3D1%3B%20DROP%20TABLE%20x", 400),
        ('columns=k"%3B--', 400),
        ("limit=501", 400),
    ],
)
def test_a_question_that_does_not_fit_is_refused(
    query: str, status: int, world: ApiWorld, client: TestClient[Any], shown: list[int]
) -> None:
    answer = client.get(f"/reports/sales/rows?{query}", headers=world.as_(Role.VIEWER))
    assert answer.status_code == status, answer.text


def test_whole_reports_come_as_files(world: ApiWorld, client: TestClient[Any], shown: list[int]) -> None:
    headers = world.as_(Role.VIEWER)

    def file(accept: str, query: str = "") -> tuple[str, bytes]:
        answer = client.get(f"/reports/sales/rows?{query}", headers=headers | {"Accept": accept})
        assert answer.status_code == 200
        return answer.headers["content-disposition"], answer.content

    name, csv = file("text/csv")
    assert name == f'attachment; filename="sales_v{shown[1]}.csv"'
    assert b"'=1+1" in csv and b"'=1+1" not in file("text/csv", "formula_safe=false")[1]
    parquet = pl.read_parquet(io.BytesIO(file("application/vnd.apache.parquet")[1]))
    assert parquet.sort("k")["k"].to_list() == [11, 12, 13]
    arrow = pl.read_ipc_stream(io.BytesIO(file("application/vnd.apache.arrow.stream", "where=k=12")[1]))
    assert arrow["k"].to_list() == [12]
    assert client.get("/reports/sales/rows", headers=headers | {"Accept": "image/png"}).status_code == 406


def test_who_has_an_answer_already_is_told_so(world: ApiWorld, client: TestClient[Any], shown: list[int]) -> None:
    headers = world.as_(Role.VIEWER)
    for accept in ("application/json", "text/csv"):
        asking = headers | {"Accept": accept}
        first = client.get("/reports/sales/rows", headers=asking)
        again = client.get("/reports/sales/rows", headers=asking | {"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = client.get("/reports/sales/rows?sort=-k", headers=asking | {"If-None-Match": first.headers["etag"]})
        assert other.status_code == 200
        client.post("/reports/sales/rollback", headers=world.as_(Role.ADMIN))
        newer = client.get("/reports/sales/rows", headers=asking | {"If-None-Match": first.headers["etag"]})
        assert newer.status_code == 200
        client.post("/reports/sales/rollback", json={"to": shown[1]}, headers=world.as_(Role.ADMIN))


def test_a_rollback_is_seen_at_once_and_on_record(world: ApiWorld, client: TestClient[Any], shown: list[int]) -> None:
    headers = world.as_(Role.ADMIN)
    body = {"to": shown[0], "reason": "the wrong month"}
    answer = client.post("/reports/sales/rollback", json=body, headers=headers)
    assert (answer.status_code, answer.json()["changed"], answer.json()["recorded"]) == (200, True, True)
    assert sorted(int(number) for number in rows(client, headers)) == [1, 2, 3]
    event = next(one for one in world.database.events if one.kind == "report.rolled_back")
    assert event.actor.startswith("token:")
    again = client.post("/reports/sales/rollback", json=body, headers=headers)
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert client.post("/reports/sales/rollback", json={"to": 999}, headers=headers).status_code == 409
    assert client.post("/reports/sales/rollback", json=body, headers=world.as_(Role.OPERATOR)).status_code == 403


def test_another_tenant_has_no_reports_and_no_pipelines_here(
    world: ApiWorld, client: TestClient[Any], shown: list[int]
) -> None:
    headers = world.as_(Role.ADMIN, tenant="team-b")
    for path in ("/reports", "/pipelines"):
        assert client.get(path, headers=headers).json()["items"] == []
    for path in ("/reports/sales", "/reports/sales/rows", "/pipelines/totals", "/explain/pipelines/totals"):
        there, missing = path, path.replace("sales", "nothing").replace("totals", "nothing")
        answers = [client.get(one, headers=headers) for one in (there, missing)]
        assert [answer.status_code for answer in answers] == [404, 404], path
        texts = [answer.text.replace("sales", "X").replace("totals", "X").replace("nothing", "X") for answer in answers]
        assert texts[0] == texts[1]
    for path in ("/reports/sales/rollback", "/pipelines/totals/pause", "/pipelines/totals/resume"):
        assert client.post(path, headers=headers).status_code == 404
    assert client.post("/runs/trigger", json={"pipeline": "totals"}, headers=headers).status_code == 404
