"""RunLog is stopped, full, read-only or silent while the API is up: everybody is told, and nobody hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
import pytest

from tests.support.api_process import ApiProcess
from tests.support.api_routes import Route, routes
from tests.support.api_world import ApiWorld
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.sse import Messages, texts
from tests.support.three_databases import ThreeDatabases, three_databases
from tests.support.waiting import wait_for

from .test_serving import record, trigger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PLACES = 20


class Setting(NamedTuple):
    """An API whose RunLog is on a server of its own."""

    api: ApiProcess
    runlog: Cluster
    run: UUID
    """That has ended."""


@pytest.fixture(scope="module")
def setting(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    places = {"max_connections": str(PLACES), "superuser_reserved_connections": "0"}
    with ExitStack() as stack:
        own = stack.enter_context(Cluster(settings=places))
        runlog = stack.enter_context(three_databases(own)).runlog
        others = stack.enter_context(three_databases(cluster))
        databases = ThreeDatabases(runlog, others.production, others.report)
        folder: Path = tmp_path_factory.mktemp("away")
        commands = CommandLine(folder, databases, KUBESCRIBE_PIPELINES="tests.support.api_pipelines")
        api = stack.enter_context(ApiProcess(commands))
        run = trigger(api, "quick")
        wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to end", timeout=60)
        yield Setting(api, own, UUID(run))


@contextmanager
def stopped(runlog: Cluster) -> Iterator[None]:
    runlog.crash()
    try:
        yield
    finally:
        runlog.start()


@contextmanager
def full(runlog: Cluster) -> Iterator[None]:
    """Somebody else has every connection that the server has to give."""
    taken: list[psycopg.Connection[Any]] = []
    others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE 'three%'"

    def nobody_else() -> bool:
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(psycopg.connect(runlog.url("postgres"), autocommit=True))
        return taken[0].execute(others.encode()).fetchone() == (0,)

    try:
        wait_for(nobody_else, "every place to be taken", every=0)
        yield
    finally:
        for one in taken:
            one.close()


@contextmanager
def read_only(runlog: Cluster) -> Iterator[None]:
    runlog.become_standby()
    try:
        yield
    finally:
        runlog.become_primary()


def needs_no_runlog(route: Route) -> bool:
    """Once it is known who asks. A rollback's event is written later."""
    return route.path.startswith(("/schema", "/session", "/reports"))


def changes_nothing(route: Route) -> bool:
    """Reading; what is refused for another reason: the run has ended, the pipeline is not paused; a token's session."""
    return route.method == "GET" or route.path.endswith(("/cancel", "/retry", "/resume", "/rollback", "/session"))


_BODIES: dict[str, dict[str, object]] = {
    "/trigger": {"pipeline": "quick"},
    "/snooze": {"until": "2099-01-01T00:00:00Z"},
    "/assign": {"to": "ada"},
    "/note": {"text": "the disk is full"},
}
"""What requests cannot do without, by the end of their path."""


def ask_everything(setting: Setting, may_serve: Callable[[Route], bool]) -> dict[str, int]:
    """Every closed route; what cannot serve says 503, when to come back, and what kind of problem it is."""
    statuses = {}
    for route in routes(ApiWorld().services):
        if route.open:
            continue
        body = _BODIES.get(route.path[route.path.rindex("/") :], {}) if route.method == "POST" else None
        status, headers, told = setting.api.ask(route.method, route.at(setting.run, "quick"), body)
        statuses[f"{route.method} {route.path}"] = status
        if status == 503:
            assert headers["content-type"] == "application/problem+json", (route, headers)
            assert int(headers["retry-after"]) > 0
            problem = msgspec.json.decode(told)
            assert (problem["status"], problem["type"]) == (503, "urn:kubescribe:problem:database-away"), problem
            assert str(setting.runlog.port) not in told.decode()
        else:
            assert may_serve(route) and 200 <= status < 500, (route, status, told)
    return statuses


def dependencies(api: ApiProcess) -> dict[str, str]:
    found: dict[str, str] = msgspec.json.decode(api.ask("GET", "/readyz", token="")[2])["dependencies"]
    return found


@pytest.mark.parametrize(("trouble", "word"), [(stopped, "away"), (full, "away"), (read_only, "read-only")])
def test_every_route_says_so_and_serves_again_without_a_restart(
    trouble: Callable[[Cluster], AbstractContextManager[None]], word: str, setting: Setting
) -> None:
    api = setting.api
    assert api.ask("GET", "/readyz")[0] == 200
    with trouble(setting.runlog):
        at_once = ask_everything(setting, changes_nothing if trouble is read_only else needs_no_runlog)
        assert at_once["POST /runs/trigger"] == at_once["POST /pipelines/{name}/pause"] == 503
        wait_for(lambda: dependencies(api) == {"runlog": word, "report": "ok"}, "readyz to name RunLog")
        assert api.ask("GET", "/readyz")[0] == 503
        assert api.ask("GET", "/healthz")[0] == 200
        if trouble is read_only:
            assert at_once["GET /runs"] == at_once["GET /runs/{run_id}"] == 200
        else:
            assert at_once["GET /runs"] == 503
            wait_for(lambda: api.ask("GET", "/schema")[0] == 503, "nobody to be remembered any more")
            assert set(ask_everything(setting, lambda route: False).values()) == {503}
    wait_for(lambda: api.ask("GET", "/readyz")[0] == 200, "RunLog to be back")
    run = trigger(api, "quick")
    wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to end", timeout=60)
    said = api.output.read_text()
    assert "Traceback" not in said, said


def ended(messages: Messages) -> list[dict[str, str]]:
    """What came until the stream was at its end, which came without the word that there is no more."""
    rest = messages.rest()
    assert "end" not in [one["event"] for one in rest]
    return rest


def test_who_follows_is_cut_off_and_comes_back(setting: Setting, tmp_path: Path) -> None:
    api = setting.api
    run = trigger(api, "talk", file=str(tmp_path / "go"))
    events, logs = f"/runs/{run}/events?follow=true", f"/runs/{run}/logs?follow=true"
    with api.stream(events) as happening, api.stream(logs) as printed:
        seen = [happening.next(), happening.next()]
        first = printed.next()
        with stopped(setting.runlog):
            for messages in (happening, printed):
                assert [one["event"] for one in ended(messages)] == ["problem"]
            assert api.ask("GET", logs)[0] == 503
            assert api.ask("GET", events)[0] == 503
    assert first is not None and seen[-1] is not None
    assert texts(first) == ["first red"]
    wait_for(lambda: api.ask("GET", "/readyz")[0] == 200, "RunLog to be back")
    with (
        api.stream(events, Last_Event_ID=seen[-1]["id"]) as happening,
        api.stream(logs, Last_Event_ID=first["id"]) as printed,
    ):
        (tmp_path / "go").touch()
        told, lines = happening.rest(), printed.rest()
    assert [one["event"] for one in told] == ["run.succeeded", "end"]
    assert [text for one in lines[:-1] for text in texts(one)] == ["second"]
    assert lines[-1]["event"] == "end"


def test_a_runlog_that_says_nothing_is_given_up(setting: Setting, tmp_path: Path) -> None:
    """More ask at once than there are connections, and all of them have their answer."""
    api = setting.api
    run = trigger(api, "until", file=str(tmp_path / "go"))
    wait_for(lambda: record(api, run)["status"] == "running", "the run to begin", timeout=60)
    with api.stream(f"/runs/{run}/events?follow=true") as happening, ThreadPoolExecutor(40) as crowd:
        assert happening.next() is not None
        setting.runlog.pause()
        try:
            asked = [crowd.submit(api.ask, "GET", "/runs") for _ in range(40)]
            assert [one["event"] for one in ended(happening)][-1] == "problem"
            answers = [one.result(120) for one in asked]
            assert dependencies(api) == {"runlog": "away", "report": "ok"}
        finally:
            setting.runlog.resume()
    assert {status for status, _, _ in answers} == {503}, api.output.read_text()
    assert all(int(headers["retry-after"]) > 0 for _, headers, _ in answers)
    wait_for(lambda: api.ask("GET", "/readyz")[0] == 200, "RunLog to be back")
    (tmp_path / "go").touch()
    wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to end", timeout=60)
    assert "Traceback" not in api.output.read_text()
