"""S-10: sizes, depths, pages, and what is no JSON. What needs a real connection is in tests/integration/http."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_world import HOST, ApiWorld

from kubescribe.domain.access import Role
from kubescribe.entrypoints.http.gate import body as bodies
from kubescribe.entrypoints.http.gate import gate as gates
from kubescribe.entrypoints.http.gate.body import BODY_LIMIT
from kubescribe.entrypoints.http.gate.gate import MOST_REQUESTS
from kubescribe.entrypoints.http.gate.json_shape import DEPTH_LIMIT, check_json
from kubescribe.entrypoints.http.gate.under_way import MOST_OF_ONE
from kubescribe.entrypoints.http.problems import Refused

JSON = ("content-type", "application/json")


def post(world: ApiWorld, body: bytes, *headers: tuple[str, str]) -> tuple[int, bytes]:
    token = world.as_(Role.OPERATOR)["Authorization"]
    return world.raw("POST", "/runs/trigger", ("authorization", token), *(headers or (JSON,)), body=body)


@pytest.mark.parametrize("limit", [0, -1, 501, 10**30, "x", ""])
def test_a_page_has_1_to_500_items(limit: object, world: ApiWorld, client: TestClient[Any]) -> None:
    answer = client.get("/runs", params={"limit": str(limit)}, headers=world.as_(Role.VIEWER))
    assert answer.status_code == 400
    assert "limit" in answer.json()["detail"]


def test_a_page_of_500_is_one(world: ApiWorld, client: TestClient[Any]) -> None:
    assert client.get("/runs?limit=500", headers=world.as_(Role.VIEWER)).status_code == 200


def test_a_body_of_a_megabyte_is_read_and_one_byte_more_is_not(world: ApiWorld) -> None:
    frame = b'{"pipeline":"totals","reason":""}'
    fits = frame.replace(b'""', b'"' + b"x" * (BODY_LIMIT - len(frame)) + b'"')
    assert len(fits) == BODY_LIMIT
    assert post(world, fits)[0] == 400  # read, and found to have too long a reason
    assert post(world, fits + b" ")[0] == 413


def test_a_stranger_may_send_a_code_and_no_more(world: ApiWorld) -> None:
    for length, status in ((4_096, 401), (4_097, 413)):
        body = b'{"code":""}'
        body = body.replace(b'""', b'"' + b"x" * (length - len(body)) + b'"')
        assert len(body) == length
        assert world.raw("POST", "/sign-in", JSON, body=body)[0] == status


def test_a_busy_process_is_not_taken_for_a_dead_one(world: ApiWorld) -> None:
    world.app._under_way = MOST_REQUESTS
    assert world.raw("GET", "/runs")[0] == 503
    assert world.raw("GET", "/healthz")[0] == 200
    assert world.raw("GET", "/readyz")[0] == 200


def test_whoever_is_slow_keeps_nobody_else_out(world: ApiWorld) -> None:
    """As many bodies as one may begin, of which none ever comes to its end."""
    slow, other = world.as_(Role.OPERATOR)["Authorization"], world.as_(Role.VIEWER)["Authorization"]

    def request(method: str, path: str, token: str) -> dict[str, Any]:
        headers = [(b"host", HOST.encode()), (b"content-type", b"application/json")]
        headers += [(b"authorization", token.encode())] if token else []
        scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": method, "scheme": "http"}
        scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "client": ("127.0.0.1", 1), "state": {}}
        return scope | {"headers": headers, "root_path": ""}

    async def never() -> Any:
        await asyncio.Event().wait()

    async def empty() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def asked(scope: dict[str, Any], receive: Any) -> int:
        statuses: list[int] = []

        async def send(message: Any) -> None:
            statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

        await world.app(scope, receive, send)  # type: ignore[arg-type]
        return statuses[0]

    async def story() -> list[int]:
        path = "/runs/trigger"
        begun = [asyncio.create_task(asked(request("POST", path, slow), never)) for _ in range(MOST_OF_ONE)]
        for _ in range(20):
            await asyncio.sleep(0)
        answers = [await asked(request("GET", "/session", token), empty) for token in (slow, other)]
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        return [*answers, await asked(request("GET", "/session", slow), empty)]

    assert asyncio.run(story()) == [429, 200, 200]


def test_a_stream_is_refused_when_it_becomes_too_long(world: ApiWorld) -> None:
    """Of a body without a length no more than the limit and one piece is ever taken."""
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 65_536
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/runs/trigger",
        "raw_path": b"/runs/trigger",
        "query_string": b"",
        "headers": [
            (b"host", HOST.encode()),
            (b"authorization", world.as_(Role.OPERATOR)["Authorization"].encode()),
            (b"content-type", b"application/json"),
        ],
        "client": ("127.0.0.1", 1),
        "state": {},
    }
    asyncio.run(world.app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert taken <= BODY_LIMIT + 2 * 65_536


def test_a_body_that_does_not_come_is_not_waited_for(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    scope = {"method": "POST", "headers": []}
    with pytest.raises(Refused) as refused:
        asyncio.run(bodies.read_body(scope, never))  # type: ignore[arg-type]
    assert refused.value.kind.status == 408


def test_an_answer_that_does_not_come_is_given_up(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(gates, "ANSWER_TIMEOUT", 0.01)
    monkeypatch.setattr(world.run_log, "find", never)
    status, headers, told = world.exchange("GET", "/runs", ("authorization", world.as_(Role.VIEWER)["Authorization"]))
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "5", "application/problem+json")
    assert b"urn:kubescribe:problem:too-slow" in told


@pytest.mark.parametrize(
    ("length", "status"), [("1048577", 413), ("9" * 30, 413), ("-1", 400), ("1e3", 400), ("٣", 400), ("0x10", 400)]
)
def test_a_length_that_is_too_large_or_none(length: str, status: int, world: ApiWorld) -> None:
    encoded = length.encode().decode("latin-1")
    assert post(world, b"", JSON, ("content-length", encoded))[0] == status


def test_json_may_nest_to_the_limit_and_no_deeper(world: ApiWorld) -> None:
    def nested(depth: int) -> bytes:  # the body itself and its parameters are two
        inner = b"[" * (depth - 2) + b"]" * (depth - 2)
        return b'{"pipeline":"totals","parameters":{"tags":%s}}' % inner

    assert post(world, nested(DEPTH_LIMIT))[0] == 422  # read, and no list of texts
    assert post(world, nested(DEPTH_LIMIT + 1))[0] == 400
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":[' * 50_000):
        status, answer = post(world, deep)
        assert (status, b"nests deeper" in answer) == (400, True)


@pytest.mark.parametrize(
    "body", [b'{"a": "' + b"[" * 100 + b'"}', b'{"a": "\\"' + b"{" * 100 + b'\\\\"}', b"[[],[],[]]" * 20]
)
def test_brackets_in_text_nest_nothing(body: bytes) -> None:
    check_json(body)


def test_a_megabyte_of_trouble_is_looked_through_once() -> None:
    for body in (b'"' + b'\\"' * 500_000, b"[]" * 500_000, b'"' * 1_000_000, b"\\" * 1_000_000):
        check_json(body)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/xml",
        "",
        "json",
    ],
)
def test_nothing_but_json_is_read(kind: str, world: ApiWorld) -> None:
    assert post(world, b"--x--", ("content-type", kind))[0] == 415


def test_an_address_or_headers_that_are_too_long(world: ApiWorld) -> None:
    token = ("authorization", world.as_(Role.VIEWER)["Authorization"])
    assert world.raw("GET", "/runs?pipeline=" + "x" * 8192, token)[0] == 414
    assert world.raw("GET", "/runs", token, ("x-long", "y" * 32_768))[0] == 431
    assert world.raw("GET", "/runs", token, *((f"x-{n}", "y") for n in range(100)))[0] == 431
    assert world.raw("GET", "/runs", token, token)[0] == 400
