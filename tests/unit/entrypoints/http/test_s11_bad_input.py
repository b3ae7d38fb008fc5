"""S-11: text and numbers that some part of the way could stumble over: 4xx, wherever they are put."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from litestar.testing import TestClient
from tests.support.api_routes import routes
from tests.support.api_world import ApiWorld

from kubescribe.domain.access import Role

CORPUS = [
    "%00",
    "a%00b",
    "%ED%A0%80",  # a lone surrogate
    "%FF%FE",
    "%C0%AF",
    "%80",
    "%",
    "%zz",
    quote("\u202e"),
    quote("😀"),
    quote("\x1b[2J"),
    quote("\r\nSet-Cookie: a=b"),
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00%2B23:59",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01T00:00:00Z",
    "9" * 400,
    "-1",
    "1e400",
    "NaN",
    "0x10",
    "١٢٣",
    "' OR 1=1 --",
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "x" * 4000,
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "f" * 64,
]
QUERY = ("limit", "cursor", "status", "pipeline", "after", "nothing", "until", "since", "attempt")


@pytest.mark.parametrize("text", CORPUS)
def test_in_every_place_of_an_address(text: str, world: ApiWorld) -> None:
    token = ("authorization", world.as_(Role.ADMIN)["Authorization"])
    encoded = quote(text, safe="%+:/.")
    for route in routes(world.services):
        if route.method == "GET":
            for name in QUERY:
                status, answer = world.raw("GET", f"{route.at(world.run())}?{name}={encoded}", token)
                assert status < 500, f"{route.path}?{name}={encoded} was answered {status}: {answer!r}"
            for part in ("{run_id}", "{name}", "{report}"):
                if part in route.path:
                    path = route.path.replace(part, encoded).replace("{run_id}", "x")
                    status, _ = world.raw("GET", path, token)
                    assert 400 <= status < 500, f"{path} was answered {status}"


@pytest.mark.parametrize("text", ["%00", "a%00b", "%ED%A0%80", "%FF%FE", "%C0%AF", "%80"])
def test_what_is_no_text_is_refused_before_anybody_looks_at_it(text: str, world: ApiWorld) -> None:
    token = ("authorization", world.as_(Role.ADMIN)["Authorization"])
    for path in (f"/runs?pipeline={text}", f"/runs?nothing={text}", f"/pipelines/{text}", f"/{text}"):
        status, answer = world.raw("GET", path, token)
        assert status == 400 and (b"UTF-8" in answer or b"NUL" in answer), path


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"7",
    b'"x"',
    b"{}",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"pipeline": "\\u0000"}',
    b'{"pipeline": "totals", "reason": "a\\u0000b"}',
    b'{"pipeline": "totals", "reason": "\\ud800"}',
    b'{"pipeline": "totals", "reason": "\xed\xa0\x80"}',
    b'{"pipeline": "totals", "parameters": {"day": 1e400}}',
    b'{"pipeline": "totals", "parameters": {"day": NaN}}',
    b'{"pipeline": "totals", "parameters": {"day": -Infinity}}',
    b'{"pipeline": "totals", "parameters": {"day": ' + b"9" * 400 + b"}}",
    b'{"pipeline": "totals", "parameters": {"day": ' + b"9" * 100_000 + b"}}",
    b'{"pipeline": "totals", "parameters": {"day": 1.5}}',
    b'{"pipeline": "totals", "parameters": {"day": "1"}}',
    b'{"pipeline": "totals", "parameters": {"a\\u0000": 1}}',
    b'{"pipeline": "totals", "parameters": []}',
    b'{"pipeline": "totals", "mode": "publish "}',
    b'{"pipeline": "totals", "extra": 1}',
    b'{"pipeline": "totals", "pipeline": ["totals"]}',
    b'{"pipeline": 7}',
    b'{"pipeline": "nothing"}',
    b'{"pipeline": "totals", "reason": 7}',
    b'{"pipeline": "totals"} x',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_in_a_body(body: bytes, world: ApiWorld) -> None:
    token = ("authorization", world.as_(Role.ADMIN)["Authorization"])
    status, answer = world.raw("POST", "/runs/trigger", token, ("content-type", "application/json"), body=body)
    assert 400 <= status < 500, f"{body[:80]!r} was answered {status}: {answer!r}"
    assert not world.database.runs


@pytest.mark.parametrize("key", ["", "é", "a\tb", "x" * 256, "\x7f"])
def test_in_an_idempotency_key(key: str, world: ApiWorld) -> None:
    token = ("authorization", world.as_(Role.ADMIN)["Authorization"])
    headers = (token, ("content-type", "application/json"), ("idempotency-key", key))
    status, _ = world.raw("POST", "/runs/trigger", *headers, body=b'{"pipeline": "totals"}')
    assert status in (400, 202)
    assert (status == 202) is (key == "") or key == ""


def test_text_that_only_looks_dangerous_is_kept_as_it_is(world: ApiWorld, client: TestClient[Any]) -> None:
    reason = "\\u0000 \\\\u0000 ' ; -- 😀 \u202e $(x) {{7*7}} %s"
    body = {"pipeline": "totals", "reason": reason}
    answer = client.post("/runs/trigger", json=body, headers=world.as_(Role.ADMIN))
    assert (answer.status_code, answer.json()["reason"]) == (202, reason)
