"""The data plane beside the best that hand-made ways do: PostgreSQL's own COPY, and SQL in the server."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psycopg

from tests.support.clusters import Cluster
from tests.support.three_databases import three_databases

from . import peers as others
from . import publishing
from .measuring import Cost, cost, memory
from .tpch import load

KUBESCRIBE = [sys.executable, "-m", "kubescribe.entrypoints.cli.main", "run"]
HEADING = "# Rows from production to a report"
_SERVER = {"shared_buffers": "256MB", "max_wal_size": "8GB"}
_TOTALS = (
    "CREATE TABLE totals AS SELECT l_orderkey, count(*) AS lines, sum(l_quantity) AS quantity, "
    "sum(l_extendedprice) AS price FROM lineitem GROUP BY l_orderkey"
)


def _limit(source: str, target: str) -> list[str]:
    out, into = "COPY lineitem TO STDOUT (FORMAT binary)", "COPY lineitem FROM STDIN (FORMAT binary)"
    return ["sh", "-c", f"psql -qX '{source}' -c '{out}' | psql -qX '{target}' -c '{into}'"]


def measured(rounds: int, scale: str, folder: Path, *, peers: bool) -> dict[str, str]:
    """Every subject in every round, one after the other; the figures in Markdown, by the section's heading."""
    with Cluster(settings=_SERVER) as cluster, three_databases(cluster) as databases:
        rows = load(databases.production, scale, folder)
        plain = cluster.create_database("plain")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "USER") if name in os.environ}
        environment = {
            **kept,
            "RUNLOG_DB_URL": databases.runlog,
            "PROD_DB_URL": databases.production,
            "REPORT_DB_URL": databases.report,
            "KUBESCRIBE_PIPELINES": "tests.bench.pipelines",
            "KUBESCRIBE_KEEP_VERSIONS": "1",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        }
        subjects: dict[str, tuple[list[str], Callable[[], None]]] = {
            "psql COPY \\| psql COPY": (
                _limit(databases.production, plain),
                lambda: _again(plain, "lineitem", _definition(databases.production)),
            ),
            "run.copy": ([*KUBESCRIBE, "relay_lineitem"], lambda: None),
            "run.scan, run.report": ([*KUBESCRIBE, "frame_lineitem"], lambda: None),
            "totals, SQL": (
                ["psql", "-qX", databases.production, "-c", _TOTALS],
                lambda: _again(databases.production, "totals", None),
            ),
            "totals, run.scan, polars, run.report": ([*KUBESCRIBE, "order_totals"], lambda: None),
        }
        slow = others.commands(databases.production, plain, folder) if peers and others.installed() else {}
        for name, command in slow.items():
            subjects[name] = (command, lambda: None)
        costs = _rounds(subjects, rounds, {**environment, **others.ENVIRONMENT}, folder, once=set(slow))
        held = {
            name: memory(command, environment, folder)
            for name, (command, _) in subjects.items()
            if command[: len(KUBESCRIBE)] == KUBESCRIBE
        }
        beside = publishing.measured(databases.production, databases.report, rounds, rows)
    walls = {name: median(one.wall for one in costs[name]) for name in subjects}
    limit, sql = (walls[name] for name in ("psql COPY \\| psql COPY", "totals, SQL"))
    lines = []
    for name in subjects:
        wall = walls[name]
        ratio = f"{wall / sql:.2f} × SQL's time" if "totals" in name else f"{limit / wall:.2f} of its speed"
        spread = f"{min(one.wall for one in costs[name]):.1f}–{max(one.wall for one in costs[name]):.1f}"
        peak = f"{held[name].pss / 2**20:.0f}" if name in held else ""
        shown = f"{name} (n=1)" if name in slow else name
        lines.append(f"| {shown} | {ratio} | {wall:.1f} | {spread} | {rows / wall / 1000:.0f} | {peak} |")
    words = _words(rows, scale, rounds)
    lines.sort(key=lambda line: "totals" in line)
    return {
        HEADING: "\n".join([HEADING, "", *words, "", *_TABLE, *lines, "", *_WHY, "", _machine(bool(slow)), ""]),
        publishing.HEADING: "\n".join([beside, _machine(False), ""]),
    }


_WHY = (
    "The goals: 0.9 for `run.copy`, 0.6 through frames, 1.3 times SQL's time for the totals, at most 512 MiB.",
    "",
    "Where time goes, in microseconds of CPU a row (lineitem, counted at 1.2 million rows on a busy machine): the "
    "server's COPY out 0.75, its COPY in 1.0 to 1.1, psql together about 0.2. `run.copy` takes 0.48: 0.15 to "
    "read, 0.13 to 0.15 for SHA-256, the rest to send. Frames take 1.46: 0.15 to read, 0.4 to parse and convert, "
    "0.1 to look for what cannot be kept, 0.3 to encode, 0.15 for SHA-256, the rest to send and to hand on. On "
    "two cores that are shared by all, CPU is time. A run adds what does not grow with the rows: its start (0.38 "
    "s of CPU for a copy, 0.63 s with polars and pgpq), ANALYZE (0.25 s of CPU, 0.5 s of waiting), and the drop "
    "of the version that is kept no more.",
)


_TABLE = (
    "| | beside the limit | wall s | fastest–slowest | thousand rows in a second | PSS MiB |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
)


def _words(rows: int, scale: str, rounds: int) -> tuple[str, ...]:
    return (
        f"TPC-H's lineitem at scale factor {scale} ({rows:,} rows, 16 columns), production and report in one server "
        "(fsync off) on the same machine. Ours is the whole run: processes started, run recorded, rows staged, "
        "analysed and published. The limit is PostgreSQL's own COPY between two psql, into a table that is there; "
        "SQL's totals are a CREATE TABLE AS in production.",
        f"Medians of {rounds} interleaved rounds; memory is that of supervisor and worker together, in a further run.",
    )


def _machine(beside_peers: bool) -> str:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    names = ("polars", "psycopg", "asyncpg", "pgpq", "pyarrow")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), load {load}, "
        f"Python {platform.python_version()}, {versions}." + (f" Peers: {others.versions()}." if beside_peers else "")
    )


def _rounds(
    subjects: Mapping[str, tuple[list[str], Callable[[], None]]],
    rounds: int,
    environment: Mapping[str, str],
    folder: Path,
    *,
    once: Collection[str],
) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in subjects}
    for number in range(rounds):
        for name, (command, before) in subjects.items():
            if number and name in once:
                continue
            before()
            costs[name].append(cost(command, environment, folder))
            print(f"round {number + 1}: {name} {costs[name][-1].wall:.1f} s", file=sys.stderr)
    return costs


def _again(url: str, table: str, definition: str | None) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {table}".encode())
        if definition is not None:
            connection.execute(definition.encode())
        connection.execute("CHECKPOINT")


def _definition(url: str) -> str:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT string_agg(concat(attname, ' ', format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) "
            "FROM pg_attribute WHERE attrelid = 'lineitem'::regclass AND attnum > 0"
        ).fetchone()
    assert columns is not None
    return f"CREATE TABLE lineitem ({columns[0]})"
