"""S-7: every response says what a browser may do with it, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_routes import body_of, routes
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role
from kubescribe.entrypoints.http.pages import page

PAGES = ("sign_in.html", "schema.html")


def check(headers: Any) -> None:
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "no-store" in headers["cache-control"] or "private" in headers["cache-control"]
    assert "server" not in headers and "x-powered-by" not in headers


def test_every_response_of_every_route_carries_them(world: ApiWorld, client: TestClient[Any]) -> None:
    run = world.run()
    for headers in ({}, world.as_(Role.VIEWER), world.as_(Role.ADMIN)):
        for route in routes(world.services):
            world.clock.advance(1)
            check(client.request(route.method, route.at(run), headers=headers, json=body_of(route)).headers)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/nothing", (), 404),
        ("DELETE", "/runs", (("content-type", "application/json"),), 405),
        ("GET", "/runs?limit=x", (), 400),
        ("GET", "/" + "x" * 9000, (), 414),
        ("GET", "/runs", (("x", "y" * 40_000),), 431),
        ("GET", "/runs%00", (), 400),
        ("GET", "/runs", (("host", "evil.example"),), 421),
        ("POST", "/runs/trigger", (("content-type", "text/plain"),), 415),
        ("POST", "/runs/trigger", (("content-length", "9999999"),), 413),
    ],
)
def test_errors_carry_them_too(
    method: str, path: str, headers: tuple[tuple[str, str], ...], status: int, world: ApiWorld
) -> None:
    token = world.as_(Role.ADMIN)["Authorization"]
    given, answered, _ = world.exchange(method, path, ("authorization", token), *headers, body=b"{}")
    assert given == status
    check(answered)


def test_a_failure_carries_them_too(world: ApiWorld, client: TestClient[Any]) -> None:
    world.database.available = False
    answer = client.get("/runs", headers={"Authorization": "Bearer ks_" + "x" * 43})
    assert answer.status_code == 503
    check(answer.headers)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_ours_names_no_other_origin_and_holds_no_script(name: str) -> None:
    text = page(name).decode()
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!/|data:,)""", text) == []
    assert "//" not in re.sub(r"<!.*?>", "", text)
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert "<style" not in text and "style=" not in text and " on" not in text.replace(" one", "")
    for script in re.findall(r'src="([^"]+)"', text):
        assert script.startswith("/")
