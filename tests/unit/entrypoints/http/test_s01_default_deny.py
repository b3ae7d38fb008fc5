"""S-1: nobody passes who is not known, on whatever path; the open ones are whole paths."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_routes import body_of, routes
from tests.support.api_world import ApiWorld

from kubescribe.entrypoints.http.gate.gate import OPEN

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")


def test_the_open_paths_are_these() -> None:
    assert {path: sorted(methods) for path, methods in OPEN.items()} == {
        b"/healthz": ["GET"],
        b"/readyz": ["GET"],
        b"/sign-in": ["GET", "POST"],
        b"/sign-in.js": ["GET"],
    }


def test_every_other_route_refuses_strangers(world: ApiWorld, client: TestClient[Any]) -> None:
    known = routes(world.services)
    assert len(known) > 15
    for route in known:
        if not route.open:
            answer = client.request(route.method, route.at(), json=body_of(route))
            assert answer.status_code == 401, f"{route.method} {route.path}"
            assert answer.headers["www-authenticate"] == 'Bearer realm="kubescribe"'


def test_no_method_of_a_route_is_forgotten(world: ApiWorld, client: TestClient[Any]) -> None:
    for path in {route.path: route for route in routes(world.services)}.values():
        for method in METHODS:
            if method not in OPEN.get(path.path.encode(), ()):
                world.clock.advance(1)  # strangers may not ask too often
                assert client.request(method, path.at()).status_code == 401, f"{method} {path.path}"


LOOKALIKES = [
    *(open_path.decode() + end for open_path in OPEN for end in ("/", "/x", ";x", ".json", "x", "%20", "%00", "//")),
    *(f"/{start}{open_path.decode()}" for open_path in OPEN for start in ("", "runs", "runs/..", ".", "x")),
    *(f"/runs{open_path.decode()}" for open_path in OPEN),
    "/HEALTHZ",
    "/Healthz",
    "/healthz%2f..%2fruns",
    "/healthz/../runs",
    "/healthz/..;/runs",
    "/%68ealthz",
    "/runs/healthz",
    "/runs%2fhealthz",
    "//healthz",
    "/sign-in/../runs",
    "/schema",
    "/schema/",
    "/schema/openapi.json",
    "/schema/ui",
    "/schema/swagger-ui.js",
    "/openapi",
    "/openapi.json",
    "/docs",
    "/static/x",
    "/metrics",
    "/admin",
    "/",
    "",
    "*",
]


@pytest.mark.parametrize("path", LOOKALIKES)
def test_what_looks_like_an_open_path_is_none(path: str, world: ApiWorld) -> None:
    status, _ = world.raw("GET", path)
    assert status in (400, 401), path  # 400: no text at all


def test_a_web_socket_is_closed_before_it_is_opened(world: ApiWorld) -> None:
    assert world.websocket("/runs") == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_open_routes_answer_strangers(client: TestClient[Any]) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/sign-in").status_code == 200


def test_a_route_that_says_nothing_is_nobodys(world: ApiWorld) -> None:
    for route in routes(world.services):
        assert route.needs is not None, f"{route.method} {route.path} does not say who may use it"
        assert (route.needs == "nobody in particular") is route.open
