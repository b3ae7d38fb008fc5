"""The OpenAPI document says all that can happen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.support.api_routes import routes
from tests.support.api_world import ApiWorld

from kubescribe.entrypoints.http.app import openapi_document
from kubescribe.entrypoints.http.document import CLOSED
from kubescribe.entrypoints.http.documented import ALWAYS, BODY
from kubescribe.entrypoints.http.problems import TABLE

DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi_document())
PAGES = ("/sign-in", "/sign-in.js", "/schema", "/schema/ui", "/schema/ui.js")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, item in DOCUMENT["paths"].items() for method, one in item.items()]


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_route_that_is_no_page_is_in_it() -> None:
    known = {(path, method.upper()) for path, method, _ in operations()}
    there = {(one.path, one.method) for one in routes(ApiWorld().services) if "swagger" not in one.path}
    assert there - known == {(path, "GET") for path in PAGES}
    assert known - there == set()


OPERATIONS = [pytest.param(*one, id=f"{one[1]} {one[0]}") for one in operations()]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_operation_says_what_may_go_wrong(path: str, method: str, operation: dict[str, Any]) -> None:
    expected = {*ALWAYS, *(BODY if method != "get" else ())}
    said = {int(status) for status in operation["responses"]}
    assert expected <= said
    for status, response in operation["responses"].items():
        if int(status) >= 400 and (path, status) != ("/readyz", "503"):
            assert list(response["content"]) == ["application/problem+json"], status
    assert operation["summary"] and operation["description"]


def test_every_status_of_the_table_is_said_somewhere() -> None:
    said = {int(status) for _, _, operation in operations() for status in operation["responses"]}
    assert {kind.status for kind in TABLE.values()} <= said


def test_open_routes_need_nothing_and_others_something() -> None:
    assert DOCUMENT["security"] == [{"token": []}, {"session": []}]
    free = {(path, method) for path, method, operation in operations() if operation.get("security") == []}
    assert free == {("/healthz", "get"), ("/readyz", "get"), ("/sign-in", "post")}


def test_bodies_are_closed() -> None:
    for view in CLOSED:
        assert DOCUMENT["components"]["schemas"][view.__name__]["additionalProperties"] is False
        assert view.__struct_config__.forbid_unknown_fields


def test_no_struct_of_the_domain_is_on_the_wire() -> None:
    from kubescribe.domain import attempt, event, pipeline, report, run

    domain = {
        name
        for module in (attempt, event, pipeline, report, run)
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, msgspec.Struct)
    }
    assert domain & set(DOCUMENT["components"]["schemas"]) == set()
