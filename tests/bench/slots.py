"""What the ledger of slots costs beside everything else: 1,000 pipelines, one process, a RunLog on loopback."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg

from kubescribe.adapters.postgres.migrate import migrate
from kubescribe.adapters.postgres.slots import PostgresSlots
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.application.watch_slots import WatchSlots
from kubescribe.domain.pipeline import Pipeline
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster

HEADING = "# The ledger of slots"
PASS_EVERY = 5.0
_QUIET = 60
_TICKS = os.sysconf("SC_CLK_TCK")

# A run in time for each slot whose time has come, as a schedule's own supervisors write them.
_RUNS = """
INSERT INTO run (id, tenant, pipeline, status, trigger, actor, mode, parameters, slot, may_publish, created_at,
                 started_at, finished_at, duration, attempts, evidence)
SELECT gen_random_uuid(), tenant, pipeline, 'succeeded', 'schedule', 'schedule', 'publish', '{}', at, true, at,
       at + interval '1 second', at + interval '2 seconds', 1, 1, 'exit'
FROM slot WHERE verdict IS NULL AND at <= now()
"""


_AN_HOUR_EARLIER = "UPDATE slot SET at = at - interval '1 hour', window_ends = window_ends - interval '1 hour'"


class Share(NamedTuple):
    """CPU seconds of this process and of the database's together."""

    planned: float
    """Of the first pass, which works out 48 hours of all."""
    slots: int
    quiet: float
    """Of a pass that has nothing to decide."""
    decided: float
    """Of one verdict, with its event."""
    again: float
    """Of the pass that plans an hour more."""

    def of_a_core(self, an_hour: int) -> float:
        """The share of one core, with so many slots an hour."""
        return self.quiet / PASS_EVERY + (self.decided * an_hour + self.again) / 3600


def measured(pipelines: int) -> tuple[str, Share]:
    """The section, and what is in it."""
    with Cluster() as cluster:
        url = cluster.create_database("slots")
        asyncio.run(migrate(asyncpg_address(url)))
        share = asyncio.run(_measure(url, pipelines))
    return _page(pipelines, share), share


async def _measure(url: str, count: int) -> Share:
    declared = [
        Pipeline(name=f"p{number}", schedule=f"{number % 60} * * * *", timezone="Europe/Berlin")
        for number in range(count)
    ]
    ledger = PostgresSlots(asyncpg_address(url))
    watch = WatchSlots(
        slots=ledger, clock=SystemClock(), tenant="default", declared=lambda: declared, schedules=None, fires=True
    )
    try:
        planned = await _cpu(watch)
        with psycopg.connect(url, autocommit=True) as connection:
            slots = _number(connection, "SELECT count(*) FROM slot")
            connection.execute("ANALYZE")
            quiet = median([await _cpu(watch) for _ in range(_QUIET // 10)])
            quiet = min(quiet, await _cpu(watch, _QUIET) / _QUIET)
            # The first hour's slots come due all at once.
            connection.execute(_AN_HOUR_EARLIER)
            connection.execute(_RUNS)
            due = _number(connection, "SELECT count(*) FROM slot WHERE verdict IS NULL AND at <= now()")
            decided = await _cpu(watch) / due
            assert _number(connection, "SELECT count(*) FROM slot WHERE verdict = 'ran'") >= min(due, 1000)
            connection.execute("UPDATE slot_plan SET planned_until = planned_until - interval '2 hours'")
        watch = WatchSlots(
            slots=ledger, clock=SystemClock(), tenant="default", declared=lambda: declared, schedules=None, fires=True
        )
        again = await _cpu(watch)
    finally:
        await ledger.close()
    return Share(planned, slots, quiet, decided, again)


def _number(connection: psycopg.Connection[tuple[object, ...]], query: str) -> int:
    (value,) = connection.execute(query.encode()).fetchone() or (0,)
    assert isinstance(value, int)
    return value


async def _cpu(watch: Callable[[], Awaitable[object]], times: int = 1) -> float:
    """CPU seconds of so many passes, here and in the server's processes."""
    here, there = time.process_time(), _servers()
    for _ in range(times):
        await watch()
    return time.process_time() - here + _servers() - there


def _servers() -> float:
    """CPU seconds that PostgreSQL's backends for us have taken; others of the machine are quiet or theirs."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        try:
            line = (folder / "cmdline").read_bytes()
            if folder.name.isdigit() and line.startswith(b"postgres: ") and b" slots " in line:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                total += (int(fields[11]) + int(fields[12])) / _TICKS
        except OSError:
            continue
    return total


def _page(pipelines: int, share: Share) -> str:
    hourly = share.of_a_core(pipelines)
    quarterly = share.of_a_core(4 * pipelines)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return "\n".join(
        [
            HEADING,
            "",
            f"{pipelines:,} pipelines in Europe/Berlin, a pass every {PASS_EVERY:.0f} s; CPU of the watcher and of its "
            "PostgreSQL backend together. The goal: 1 % of a core.",
            "",
            "| | share of a core |",
            "| --- | ---: |",
            f"| a slot an hour each | {hourly:.2%} |",
            f"| a slot every 15 minutes each | {quarterly:.2%} |",
            "",
            f"A quiet pass takes {share.quiet * 1000:.1f} ms, a verdict with its event {share.decided * 1e6:.0f} µs, "
            f"an hour more of all schedules {share.again * 1000:.0f} ms; the first pass, which writes "
            f"{share.slots:,} slots, takes {share.planned:.1f} s.",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), load {load}, "
            f"Python {platform.python_version()}. `python -m tests.bench --only slots --write` measures again.",
            "",
        ]
    )
