"""``kubescribe api`` on a long history, beside Dagster's web server on one of its own, in the same minutes."""

from __future__ import annotations

import itertools
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg

from tests.support.api_process import ApiProcess
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.three_databases import three_databases
from tests.support.waiting import wait_for

from . import peers as others
from .clients import Asked, Client, Speed, Timing, bearer, request
from .history import LINES, PIPELINES, SETTINGS, History, fill
from .measuring import held, spent, tree
from .peer_dagster import Dagster

HEADING = "# The API on a million runs"
OURS, PEER = "KubeScribe", "Dagster"
_CLIENTS = 8
_SECONDS = 4.0
"""Of each question, in each round, for one client and then for several."""
_SETTLED = 10.0
_IDLE = 60.0
_NAMES = {"latest": "latest 50", "failed": "latest 50 failed of one pipeline", "one": "one run, whole"}
_TRIGGER = "`POST /runs/trigger`"
_GOALS = {
    "latest": "5, 20; 200 a second",
    "failed": "5, 20; 200 a second",
    "one": "3; 400 a second",
    "trigger": "200 a second",
}


class Idle(NamedTuple):
    """Of a server that nobody asks."""

    processes: int
    pss: int
    cpu: float
    """Seconds in a minute."""


def measured(rounds: int, folder: Path, *, runs: int, peer_runs: int, peers: bool) -> dict[str, str]:
    """Fill, start, measure; the figures in Markdown, by the section's heading."""
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(durable=True, settings=SETTINGS))
        databases = stack.enter_context(three_databases(cluster))
        commands = CommandLine(
            folder,
            databases,
            KUBESCRIBE_PIPELINES="tests.bench.pipelines",
            KUBESCRIBE_API_RATE="1000000",  # the clients are one principal, which is held to 100 a second otherwise
            KUBESCRIBE_MAX_RUNS="1",
        )
        kept = fill(databases.runlog, commands, runs)
        peer = None
        if peers and others.installed():
            _say(f"filling {PEER}")
            peer = stack.enter_context(Dagster(cluster, folder, runs=peer_runs, jobs=PIPELINES))
        with ApiProcess(commands) as api:
            _check(api, kept)
            idle = _idle({OURS: [api.process.pid]} | ({PEER: peer.pids} if peer else {}))
            servers = {OURS: (api.port, _questions(api, kept))}
            if peer is not None:
                servers[PEER] = (peer.port, peer.questions())
            speeds = _rounds(servers, rounds)
            speeds[OURS, "trigger"] = _triggered(api, databases.runlog, folder, rounds)
        (folder / "stop").touch()
        wait_for(lambda: not _at_work(databases.runlog), "the run that was at work to end", timeout=60)
    return {HEADING: _page(kept, speeds, idle, rounds, runs, peer)}


def _questions(api: ApiProcess, kept: History) -> dict[str, Iterator[Asked]]:
    headers = bearer(api.token)
    latest = Asked(request("GET", "/runs?limit=50", headers=headers))
    return {
        "latest": itertools.cycle([latest]),
        "failed": (
            Asked(request("GET", f"/runs?limit=50&status=failed&pipeline={name}", headers=headers))
            for name in itertools.cycle(kept.pipelines)
        ),
        "one": (Asked(request("GET", f"/runs/{run}", headers=headers)) for run in itertools.cycle(kept.runs)),
    }


def _check(api: ApiProcess, kept: History) -> None:
    """What is measured is what was asked for."""
    with Client(api.port) as client:
        answers = {name: msgspec.json.decode(client.ask(next(asked))) for name, asked in _questions(api, kept).items()}
    assert len(answers["latest"]["items"]) == len(answers["failed"]["items"]) == 50
    assert {run["status"] for run in answers["failed"]["items"]} == {"failed"}
    one = answers["one"]
    assert (len(one["attempts"]), len(one["events"]), len(one["inputs"])) == (1, 3, 1), one


def _rounds(
    servers: Mapping[str, tuple[int, Mapping[str, Iterator[Asked]]]], rounds: int
) -> dict[tuple[str, str], Speed]:
    timings = {(server, name): Timing() for name in _NAMES for server in servers}
    for number in range(rounds):
        for (server, name), timing in timings.items():
            port, questions = servers[server]
            timing.round(port, questions[name], clients=_CLIENTS, seconds=_SECONDS)
            _say(f"round {number + 1} of {rounds}: {server}, {_NAMES[name]}: {timing.last}")
    return {key: timing.speed() for key, timing in timings.items()}


def _triggered(api: ApiProcess, runlog: str, folder: Path, rounds: int) -> Speed:
    """Triggers that are recorded, and wait: the one run that may be at work is there already.

    A supervisor for each would be what the machine does then, and nothing would be said of the API.
    """
    holding, _, body = api.ask(
        "POST", "/runs/trigger", {"pipeline": "hold", "parameters": {"file": str(folder / "stop")}}
    )
    assert holding == 202, body
    wait_for(lambda: _at_work(runlog), "a run to be at work", timeout=60)
    headers, before, timing = bearer(api.token), _recorded(runlog), Timing()
    answered = itertools.count()

    def questions() -> Iterator[Asked]:
        for number in answered:
            asked = {
                "pipeline": "orders_of_a_day",
                "parameters": {"region": "eu", "day": f"2026-11-{1 + number % 30:02}"},
                "reason": "the bill of the day was mended",
            }
            with_key = {**headers, "Idempotency-Key": f"bench-{number}"}
            yield Asked(request("POST", "/runs/trigger", msgspec.json.encode(asked), with_key), 202)

    asked = questions()
    for number in range(rounds):
        timing.round(api.port, asked, clients=_CLIENTS, seconds=_SECONDS)
        _say(f"round {number + 1} of {rounds}: {_TRIGGER}: {timing.last}")
    recorded = _recorded(runlog) - before
    assert recorded == next(answered), f"{recorded} runs are on record, another number was accepted"
    return timing.speed()


def _at_work(runlog: str) -> bool:
    with psycopg.connect(runlog) as connection:
        return connection.execute("SELECT FROM run WHERE status = 'running'").fetchone() is not None


def _recorded(runlog: str) -> int:
    with psycopg.connect(runlog) as connection:
        row = connection.execute("SELECT count(*) FROM request_key JOIN run ON run.id = run_id").fetchone()
        assert row is not None
        return int(row[0])


def _idle(servers: Mapping[str, Iterable[int]]) -> dict[str, Idle]:
    _say(f"idle for {_SETTLED + _IDLE:.0f} s")
    time.sleep(_SETTLED)  # what the beginning costs is another matter
    there = {name: [pid for root in roots for pid in tree(root)] for name, roots in servers.items()}
    before = {name: spent(pids) for name, pids in there.items()}
    time.sleep(_IDLE)
    return {
        name: Idle(len(pids), sum(held(pid)[0] for pid in pids), (spent(pids) - before[name]) * 60 / _IDLE)
        for name, pids in there.items()
    }


def _page(
    kept: History,
    speeds: Mapping[tuple[str, str], Speed],
    idle: Mapping[str, Idle],
    rounds: int,
    runs: int,
    peer: Dagster | None,
) -> str:
    counts = {OURS: f"{OURS}, {runs:,} runs", PEER: f"{PEER}, {peer.runs:,} runs" if peer else PEER}
    lines = [
        f"| {_NAMES.get(name, _TRIGGER)} | {counts[server]} | {one.p50 * 1000:.1f} | {one.p95 * 1000:.1f} "
        f"| {one.rate:.0f} | {one.size / 1024:.1f} | {_GOALS[name] if server == OURS else ''} |"
        for (server, name), one in speeds.items()
    ]
    idle_lines = [
        f"| {counts[server]} | {one.processes} | {one.pss / 2**20:.0f} | {one.cpu:.2f} |"
        for server, one in idle.items()
    ]
    return "\n".join(
        [
            *(HEADING, "", *_words(kept, runs, rounds, peer), ""),
            *(*_TABLE, *lines, "", *_IDLE_TABLE, *idle_lines, "", _machine(peer), ""),
        ]
    )


_TABLE = (
    f"| | | p50 ms | p95 ms | answers a second, {_CLIENTS} clients | KiB of an answer | goal: p50, p95; rate |",
    "| --- | --- | ---: | ---: | ---: | ---: | --- |",
)
_IDLE_TABLE = (
    "Asked by nobody, with the reconciler on (goal: 1 process, 100 MiB, 0.4 s):",
    "",
    "| | processes | PSS MiB | CPU s a minute |",
    "| --- | ---: | ---: | ---: |",
)


def _words(kept: History, runs: int, rounds: int, peer: Dagster | None) -> list[str]:
    words = [
        f"RunLog with {runs:,} runs of {PIPELINES} pipelines in {runs / 2880:.0f} days, {LINES * runs:,} log "
        f"lines, {kept.rows:,} rows, {kept.size / 2**30:.1f} GiB (filled in {kept.seconds:.0f} s from two runs that "
        "the product recorded); of a hundred runs seven failed, one was lost, one cancelled, one skipped. PostgreSQL "
        "(fsync on, 512 MB of shared buffers, vacuumed), server and clients share the machine. Clients keep their "
        "connections; every answer's status is looked at.",
        f"{rounds} rounds, all servers in turn: one client for {_SECONDS:.0f} s (percentiles over all its answers), "
        f"then {_CLIENTS} for {_SECONDS:.0f} s (the middle rate). `KUBESCRIBE_API_RATE` is raised, for all clients "
        "have one token.",
        f"{_TRIGGER}: each with a key of its own, to its 202, and all of them are found on record afterwards. The "
        "launcher is asked for each and says that it is full (`KUBESCRIBE_MAX_RUNS=1`, and one is at work), which is "
        "recorded too: no run is begun.",
    ]
    if peer is not None:
        words.append(
            f"{PEER}: web server and daemon on a database of its own in the same PostgreSQL, {peer.runs:,} runs of "
            f"{PIPELINES} jobs, multiplied from two of its own with their events (printed lines are files there), "
            "asked by GraphQL for the same; its list leaves out the parameters, which ours has."
        )
    return words


def _machine(peer: Dagster | None) -> str:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("litestar", "uvicorn", "sqlalchemy", "asyncpg", "msgspec")
    )
    text = (
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), load {load}, "
        f"Python {platform.python_version()}, {versions}."
    )
    if peer is not None:
        text += f" Peer: {others.versions(('dagster', 'dagster-webserver', 'dagster-postgres'))}."
    return text + " `python -m tests.bench --only api --write` measures again."


def _say(what: Any) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)
