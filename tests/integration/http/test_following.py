"""Following a run over HTTP: server-sent events."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.api_process import ApiProcess
from tests.support.command_line import CommandLine
from tests.support.sse import texts
from tests.support.waiting import wait_for

from .test_serving import record, trigger

pytestmark = pytest.mark.integration


def test_a_log_is_followed_to_its_end_and_resumed(api: ApiProcess, tmp_path: Path) -> None:
    run = trigger(api, "talk", file=str(tmp_path / "go"))
    with api.stream(f"/runs/{run}/logs?follow=true") as told:
        first = told.next()
        assert first is not None
        assert (first["event"], texts(first)) == ("log", ["first red"])
    (tmp_path / "go").touch()
    with api.stream(f"/runs/{run}/logs?follow=true", Last_Event_ID=first["id"]) as told:
        rest = told.rest()
    assert [text for message in rest[:-1] for text in texts(message)] == ["second"]
    assert rest[-1]["event"] == "end"
    status, headers, body = api.ask("GET", f"/runs/{run}/logs")
    assert (status, headers["content-type"], body) == (200, "text/plain; charset=utf-8", b"first red\nsecond\n")
    _, headers, body = api.ask("GET", f"/runs/{run}/logs", Accept="application/x-ndjson;q=0.9, text/html")
    lines = [msgspec.json.decode(line) for line in body.splitlines()]
    assert [(line["attempt"], line["text"]) for line in lines] == [(1, "first red"), (1, "second")]
    after = api.ask("GET", f"/runs/{run}/logs?attempt=1&after={lines[0]['seq']}")[2]
    assert after == b"second\n"
    until = api.ask("GET", f"/runs/{run}/logs?until={lines[0]['seq']}")[2]
    assert until == b"first red\n"
    assert api.ask("GET", f"/runs/{run}/logs?attempt=2")[2] == b""
    assert api.ask("GET", f"/runs/{run}/logs", Accept="image/png")[0] == 406


def test_events_are_followed_and_none_comes_twice(api: ApiProcess, tmp_path: Path) -> None:
    run = trigger(api, "until", file=str(tmp_path / "go"))
    with api.stream(f"/runs/{run}/events?follow=true") as told:
        seen = [told.next(), told.next()]
    assert [one and one["event"] for one in seen] == ["run.created", "run.running"]
    (tmp_path / "go").touch()
    with api.stream(f"/runs/{run}/events?follow=true", Last_Event_ID=seen[-1]["id"]) as told:  # type: ignore[index]
        assert [one["event"] for one in told.rest()] == ["run.succeeded", "end"]
    whole = msgspec.json.decode(api.ask("GET", f"/runs/{run}/events")[2])["items"]
    assert [one["kind"] for one in whole][-1] == "run.succeeded"


def test_a_stream_ends_with_its_readers_token(api: ApiProcess, commands: CommandLine, tmp_path: Path) -> None:
    run = trigger(api, "until", file=str(tmp_path / "go"))
    made = commands.json("token", "create", "reader")
    with api.stream(f"/runs/{run}/events?follow=true", token=made["token"]) as told:
        assert told.next() is not None
        assert commands("token", "revoke", made["id"]).returncode == 0
        assert [one["event"] for one in told.rest()] in ([], ["run.running"])  # no `end`: the run goes on
    (tmp_path / "go").touch()
    wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to end", timeout=60)


def test_one_principal_has_twenty_streams_at_most(api: ApiProcess, tmp_path: Path) -> None:
    run = trigger(api, "until", file=str(tmp_path / "go"))
    open_ones: list[socket.socket] = []
    request = (
        f"GET /runs/{run}/events?follow=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {api.token}\r\n\r\n"
    )
    statuses = []
    for _ in range(22):
        one = socket.create_connection(("127.0.0.1", api.port), timeout=30)
        one.sendall(request.encode())
        statuses.append(one.recv(12)[-3:])
        open_ones.append(one)
    assert statuses == [b"200"] * 20 + [b"429"] * 2
    for one in open_ones:
        one.close()
    (tmp_path / "go").touch()
    wait_for(lambda: api.ask("GET", f"/runs/{run}/events?follow=true")[0] == 200, "the places to be free again")


def test_an_id_that_is_none_of_the_streams_is_refused(api: ApiProcess) -> None:
    run = trigger(api, "quick")
    for path in ("events", "logs"):
        for wrong in ("x", "1.2.3", "-1", "9" * 30):
            status = api.ask("GET", f"/runs/{run}/{path}?follow=true", Last_Event_ID=wrong)[0]
            assert status == 400, (path, wrong)


def test_a_server_that_ends_ends_its_streams(commands: CommandLine, tmp_path: Path) -> None:
    with ApiProcess(commands) as api:
        run = trigger(api, "until", file=str(tmp_path / "go"))
        with api.stream(f"/runs/{run}/events?follow=true") as told:
            assert told.next() is not None
            api.process.terminate()
            messages: list[Any] = told.rest()
            assert "end" not in [one["event"] for one in messages]
        assert api.process.wait(30) == 0
        (tmp_path / "go").touch()
