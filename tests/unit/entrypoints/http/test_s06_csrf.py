"""S-6: a session's cookie alone changes nothing; sign-in links work once."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_routes import body_of, routes
from tests.support.api_world import URL, ApiWorld

from kubescribe.domain.access import Role

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def signed_in(world: ApiWorld, client: TestClient[Any], role: Role = Role.ADMIN) -> str:
    """Signs the client in; the session's CSRF token."""
    answer = client.post("/sign-in", json={"code": world.link(role)})
    assert answer.status_code == 200
    token: str = answer.json()["csrf_token"]
    return token


def test_the_cookie_stays_with_us(world: ApiWorld, client: TestClient[Any]) -> None:
    cookie = client.post("/sign-in", json={"code": world.link()}).headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_behind_a_proxy_that_speaks_https_the_cookie_is_secure() -> None:
    from ipaddress import ip_network

    from kubescribe.entrypoints.api_settings import ApiSettings

    for told, secure in (("https", True), ("http", False)):
        world = ApiWorld(ApiSettings(proxies=(ip_network("127.0.0.1/32"),)))
        body = b'{"code": "%s"}' % world.link().encode()
        headers = (("content-type", "application/json"), ("x-forwarded-proto", told))
        status, answer, _ = world.exchange("POST", "/sign-in", *headers, body=body)
        assert (status, "; secure" in answer["set-cookie"].lower()) == (200, secure)
        assert ("strict-transport-security" in answer) is secure


def test_a_session_may_look_with_the_cookie_alone(world: ApiWorld, client: TestClient[Any]) -> None:
    token = signed_in(world, client)
    assert client.get("/runs").status_code == 200
    assert client.get("/session").json()["csrf_token"] == token


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": URL},
        {"X-CSRF-Token": "TOKEN"},
        {"Origin": "https://evil.example", "X-CSRF-Token": "TOKEN"},
        {"Origin": "null", "X-CSRF-Token": "TOKEN"},
        {"Origin": URL + ".evil.example", "X-CSRF-Token": "TOKEN"},
        {"Origin": "http://127.0.0.1:8001", "X-CSRF-Token": "TOKEN"},
        {"Origin": "https://127.0.0.1:8000", "X-CSRF-Token": "TOKEN"},
        {"Origin": URL, "X-CSRF-Token": "x" * 43},
        {"Origin": URL, "X-CSRF-Token": ""},
        {"Origin": URL, "X-CSRF-Token": "é"},
    ],
)
def test_no_unsafe_route_works_without_token_and_origin(
    headers: dict[str, str], world: ApiWorld, client: TestClient[Any]
) -> None:
    token = signed_in(world, client)
    given = {name.encode(): value.replace("TOKEN", token).encode("latin-1") for name, value in headers.items()}
    unsafe = [route for route in routes(world.services) if route.method in UNSAFE and not route.open]
    assert unsafe
    for route in unsafe:
        answer = client.request(route.method, route.at(), headers=given, json=body_of(route))
        assert answer.status_code == 403, f"{route.method} {route.path}"
        assert answer.json()["type"].endswith("cross-site")


def test_with_both_it_works(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = {"Origin": URL, "X-CSRF-Token": signed_in(world, client)}
    answer = client.post("/runs/trigger", headers=headers, json={"pipeline": "totals"})
    assert (answer.status_code, answer.json()["actor"]) == (202, "user:ann")


def test_a_bearer_token_needs_neither_unless_a_cookie_comes_along(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = world.as_(Role.OPERATOR)
    body = {"pipeline": "totals"}
    assert client.post("/runs/trigger", headers=headers, json=body).status_code == 202
    signed_in(world, client)
    assert client.post("/runs/trigger", headers=headers, json=body).status_code == 403


def test_a_csrf_token_is_the_sessions_own(world: ApiWorld, client: TestClient[Any]) -> None:
    first = signed_in(world, client)
    second = signed_in(world, client)
    assert first != second
    headers = {"Origin": URL, "X-CSRF-Token": first}
    assert client.post("/runs/trigger", headers=headers, json={"pipeline": "totals"}).status_code == 403


def test_a_link_works_once(world: ApiWorld, client: TestClient[Any]) -> None:
    code = world.link()
    assert client.post("/sign-in", json={"code": code}).status_code == 200
    assert client.post("/sign-in", json={"code": code}).status_code == 401


def test_a_link_waits_a_quarter_of_an_hour(world: ApiWorld, client: TestClient[Any]) -> None:
    code = world.link()
    world.database.advance(901)
    assert client.post("/sign-in", json={"code": code}).status_code == 401


def test_another_site_cannot_sign_its_visitors_in(world: ApiWorld, client: TestClient[Any]) -> None:
    code = world.link()
    evil = {"Origin": "https://evil.example"}
    assert client.post("/sign-in", json={"code": code}, headers=evil).status_code == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-in", content=f"code={code}", headers=form).status_code == 415
    text = {"Content-Type": "text/plain"}
    assert client.post("/sign-in", content=f'{{"code": "{code}"}}', headers=text).status_code == 415
    assert client.post("/sign-in", json={"code": code}).status_code == 200


def test_a_session_that_was_ended_is_over(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = {"Origin": URL, "X-CSRF-Token": signed_in(world, client)}
    assert client.delete("/session", headers=headers).status_code == 204
    assert client.get("/runs").status_code == 401


def test_a_session_ends_by_itself(world: ApiWorld, client: TestClient[Any]) -> None:
    signed_in(world, client)
    world.database.advance(43_201)
    world.clock.advance(5)
    assert client.get("/runs").status_code == 401


def test_two_cookies_of_the_name_are_none(world: ApiWorld) -> None:
    with world.client() as client:
        signed_in(world, client)
        secret = client.cookies["ks_session"]
    status, _ = world.raw("GET", "/runs", ("cookie", f"ks_session=x; ks_session={secret}"))
    assert status == 401
    status, _ = world.raw("GET", "/runs", ("cookie", f"other=1; ks_session={secret}"))
    assert status == 200
