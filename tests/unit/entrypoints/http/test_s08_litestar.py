"""S-8: what Litestar once got wrong, and we do not."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role
from kubescribe.entrypoints.api_settings import ApiSettings
from kubescribe.entrypoints.http.app import litestar


def test_it_is_a_release_without_the_known_holes() -> None:
    assert tuple(map(int, version("litestar").split(".")[:2])) >= (2, 22)


HOSTS = ("runs.example.org", "10.0.0.7", "[::1]")


@pytest.mark.parametrize(
    "host", ["runs.example.org", "RUNS.example.org", "runs.example.org:8443", "10.0.0.7:80", "[::1]", "[::1]:8000"]
)
def test_a_host_of_ours_is_served(host: str) -> None:
    world = ApiWorld(ApiSettings(hosts=HOSTS))
    status, _ = world.raw("GET", "/sign-in", ("host", host))
    assert status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "runsXexample.org",  # CVE-2026-25479: a dot that stands for any character
        "runs.example.org.evil.example",
        "evil.runs.example.org",
        "runs.example.org:x",
        "runs.example.org:80:80",
        "runs.example.org@evil.example",
        "evil.example#runs.example.org",
        "10.0.0.70",
        "[::1",
        "[::1]x",
        "*",
    ],
)
def test_another_host_is_not(host: str) -> None:
    world = ApiWorld(ApiSettings(hosts=HOSTS))
    status, _ = world.raw("GET", "/sign-in", ("host", host))
    assert status == 421


def test_two_hosts_are_none() -> None:
    status, _ = ApiWorld().raw("GET", "/sign-in", ("host", "127.0.0.1"), ("host", "evil.example"))
    assert status == 400


def test_the_probes_of_kubernetes_come_by_the_pods_address() -> None:
    for path in ("/healthz", "/readyz"):
        assert ApiWorld().raw("GET", path, ("host", "10.42.0.17:8000"))[0] == 200


def test_nothing_of_litestars_that_is_not_asked_for(client: object) -> None:
    app = litestar(ApiWorld().services)
    assert app.response_cache_config.default_expiration == 60  # the default, and nothing is cached:
    handlers = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    assert handlers and all(not handler.cache for handler in handlers)
    assert app.debug is False and app.cors_config is None and app.csrf_config is None
    assert not any("openapi" in route.path for route in app.routes)


def test_a_session_is_no_litestar_session() -> None:
    # CVE-2026-25480, CVE-2026-48061: stores and sessions of files. There are none.
    world = ApiWorld()
    status, headers, _ = world.exchange("GET", "/session", ("authorization", world.as_(Role.VIEWER)["Authorization"]))
    assert (status, "set-cookie" in headers) == (200, False)
